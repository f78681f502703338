/** Where in a YAML text one is, by its indentation: enough to complete what is half written. Pure. */
export interface PlaceInYaml {
  /** The keys above, `[]` for an item of a list. */
  path: string[];
  /** Whether a value is written, after `key: `. */
  inValue: boolean;
  /** The key whose value it is, else what is written of a key. */
  word: string;
  /** Keys above that belong to the same object. */
  siblings: string[];
  /** Where the document begins in the text. */
  documentStart: number;
}

/** A key, or the dash of an item, and the column in which it begins. */
interface Mark {
  column: number;
  key: string | null;
}

const KEY = /^(?:"([^"]+)"|'([^']+)'|([\w./-]+))\s*:(?:\s|$)/;
const DASHES = /^\s*(?:-(?:\s+|$))*/;

export function placeAt(text: string, offset: number): PlaceInYaml {
  const documentStart = startOfDocument(text, offset);
  const lines = text.slice(documentStart, offset).split('\n');
  const current = lines.pop() ?? '';
  const lead = DASHES.exec(current)?.[0] ?? '';
  const written = current.slice(lead.length);
  const key = /^([\w./-]+)\s*:\s/.exec(written)?.[1];
  const above = [...dashes(lead), ...lines.reverse().flatMap(marks)];
  const path: string[] = [];
  const siblings: string[] = [];
  let limit = lead.length;
  let isItem = false;
  for (const { column, key } of above) {
    if (key !== null && column === limit && path.length === 0) siblings.push(key);
    if (column > limit || (column === limit && (key === null || !isItem))) continue;
    path.unshift(key ?? '[]');
    limit = column;
    isItem = key === null;
  }
  return { path, inValue: key !== undefined, word: key ?? written, siblings, documentStart };
}

/** `apiVersion` and `kind` of the document around `offset`, as far as they are written. */
export function typeAt(text: string, offset: number): { apiVersion: string; kind: string } {
  const rest = text.slice(startOfDocument(text, offset));
  const end = rest.search(/^---/m);
  const document = end < 0 ? rest : rest.slice(0, end);
  const read = (key: string) => new RegExp(`^${key}:\\s*["']?([^"'\\s#]+)`, 'm').exec(document)?.[1] ?? '';
  return { apiVersion: read('apiVersion'), kind: read('kind') };
}

function startOfDocument(text: string, offset: number): number {
  let start = 0;
  for (const found of text.slice(0, offset).matchAll(/^---.*\n/gm)) start = found.index + found[0].length;
  return start;
}

/** What a line holds, from right to left. */
function marks(line: string): Mark[] {
  const lead = DASHES.exec(line)?.[0] ?? '';
  const found = KEY.exec(line.slice(lead.length));
  const key = found?.[1] ?? found?.[2] ?? found?.[3];
  return [...(key === undefined ? [] : [{ column: lead.length, key }]), ...dashes(lead)];
}

function dashes(lead: string): Mark[] {
  return [...lead].flatMap((each, column) => (each === '-' ? [{ column, key: null }] : [])).reverse();
}
