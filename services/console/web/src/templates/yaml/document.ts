/**
 * The text of a manifest as what is edited: forms change single values of it, and everything else, comments and
 * order among it, stays as somebody wrote it. Pure.
 */
import { type Document, isMap, isScalar, isSeq, parseAllDocuments, parseDocument, stringify } from 'yaml';
import type { KubeObject } from '@/api/objects';

export type Path = readonly (string | number)[];

export interface TextProblem {
  message: string;
  /** Offsets in the text. */
  from: number;
  to: number;
}

export interface Manifest {
  objects: KubeObject[];
  problems: TextProblem[];
}

/** The same value in two places is written twice: the services take no aliases. */
export const WRITTEN = { lineWidth: 0, aliasDuplicateObjects: false } as const;

/** The objects of a text, or what is wrong with it. */
export function readManifest(text: string): Manifest {
  const documents = documentsOf(text);
  const problems = documents.flatMap((document) =>
    document.errors.map((error) => ({
      message: error.message.split('\n')[0] ?? '',
      from: error.pos[0],
      to: Math.max(error.pos[1], error.pos[0]),
    })),
  );
  if (problems.length > 0) return { objects: [], problems };
  const objects = documents
    .map((document) => document.toJS() as KubeObject | null)
    .filter((each) => each !== null);
  const isObject = objects.every((each) => typeof each === 'object' && !Array.isArray(each));
  return isObject
    ? { objects, problems }
    : { objects: [], problems: [{ message: 'No object', from: 0, to: 0 }] };
}

/** The text with `value` at `path` of its document number `index`; without a value, what was there goes. */
export function withValue(text: string, index: number, path: Path, value: unknown): string {
  const documents = documentsOf(text);
  const document = documents[index];
  if (!document || documents.some((each) => each.errors.length > 0)) return text;
  put(document, path, value);
  return written(documents);
}

export function withDocument(text: string, object: unknown): string {
  const added = stringify(object, WRITTEN);
  return text.trim() === '' ? added : `${text.trimEnd()}\n---\n${added}`;
}

export function withoutDocument(text: string, index: number): string {
  return written(documentsOf(text).filter((_, at) => at !== index));
}

/** Writes objects as one manifest. */
export function manifestOf(...objects: unknown[]): string {
  return objects.map((each) => stringify(each, WRITTEN)).join('---\n');
}

function documentsOf(text: string): Document[] {
  const found = parseAllDocuments(text);
  const documents = Array.isArray(found) ? [...found] : [];
  return documents.length > 0 ? documents : [parseDocument(text)];
}

function written(documents: Document[]): string {
  return documents
    .map((each) => {
      each.directives = undefined;
      return each.toString({ ...WRITTEN, directives: false }).replace(/^---\n/, '');
    })
    .join('---\n');
}

function put(document: Document, path: Path, value: unknown): void {
  if (value === undefined) {
    document.deleteIn(path);
    prune(document, path.slice(0, -1));
    return;
  }
  const known = document.getIn(path, true);
  if (isPlain(value) && isMap(known)) {
    for (const pair of [...known.items]) {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
      if (!(key in value)) document.deleteIn([...path, key]);
    }
    for (const [key, each] of Object.entries(value)) put(document, [...path, key], each);
  } else if (Array.isArray(value) && isSeq(known)) {
    while (known.items.length > value.length) known.delete(known.items.length - 1);
    for (const [at, each] of value.entries()) put(document, [...path, at], each);
  } else {
    setIn(document, path, value);
  }
}

/** Sets a value; maps on the way that are missing or empty are made, in block style. */
function setIn(document: Document, path: Path, value: unknown): void {
  for (let depth = 1; depth < path.length; depth++) {
    const at = path.slice(0, depth);
    const node = document.getIn(at, true);
    const isMissing = node === undefined || node === null || (isScalar(node) && node.value === null);
    if (isMissing) document.setIn(at, document.createNode(typeof path[depth] === 'number' ? [] : {}));
    const made = document.getIn(at, true);
    if ((isMap(made) || isSeq(made)) && made.items.length === 0) made.flow = false;
  }
  const known = document.getIn(path, true);
  const isScalarValue = value === null || typeof value !== 'object';
  document.setIn(path, isScalar(known) && isScalarValue ? value : document.createNode(value, WRITTEN));
}

/** Takes away maps that became empty, up to the first that did not. */
function prune(document: Document, path: Path): void {
  if (path.length < 2) return;
  const node = document.getIn(path, true);
  if (!isMap(node) || node.items.length > 0) return;
  document.deleteIn(path);
  prune(document, path.slice(0, -1));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
