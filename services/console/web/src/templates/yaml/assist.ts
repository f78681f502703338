/** What the editor knows of Kubernetes: completion, explanations, and what looks wrong. */
import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { type Diagnostic, linter } from '@codemirror/lint';
import type { Extension } from '@codemirror/state';
import { type EditorView, hoverTooltip, type Tooltip } from '@codemirror/view';
import { parseAllDocuments } from 'yaml';
import { readManifest } from './document';
import { placeAt, typeAt } from './place';
import { rootSchema, type Schema, type SchemaDocument, schemaAt, schemaDocument, typeName } from './schema';
import { unknownFields } from './unknown-fields';

export function kubernetesAssist(): Extension {
  return [
    autocompletion({ override: [complete], icons: false }),
    hoverTooltip(explain),
    linter(check, { delay: 400 }),
  ];
}

async function schemaAround(text: string, offset: number) {
  const { apiVersion, kind } = typeAt(text, offset);
  const document = await schemaDocument(apiVersion);
  return { document, root: rootSchema(document, apiVersion, kind) };
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const word = context.matchBefore(/[\w./-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const place = placeAt(text, context.pos);
  const { document, root } = await schemaAround(text, context.pos);
  if (place.inValue) {
    const schema = schemaAt(document, root, [...place.path, place.word]);
    return options(word.from, valuesOf(schema));
  }
  const properties = schemaAt(document, root, place.path)?.properties ?? {};
  const entries = Object.entries(properties).filter(([name]) => !place.siblings.includes(name));
  return options(
    word.from,
    entries.map(([name, schema]) => completionOf(document, name, schema)),
  );
}

function options(from: number, found: Completion[]): CompletionResult | null {
  return found.length > 0 ? { from, options: found, validFor: /^[\w./-]*$/ } : null;
}

function valuesOf(schema: Schema | undefined): Completion[] {
  if (schema?.type === 'boolean') return [{ label: 'true' }, { label: 'false' }];
  return (schema?.enum ?? []).map((value) => ({ label: String(value) }));
}

function completionOf(document: SchemaDocument, name: string, schema: Schema): Completion {
  const found = schemaAt(document, schema, []);
  const nested = found?.type === 'object' || found?.type === 'array' || found?.properties !== undefined;
  return {
    label: name,
    detail: typeName(document, schema),
    info: found?.description,
    apply: nested ? `${name}:` : `${name}: `,
  };
}

async function explain(view: EditorView, position: number): Promise<Tooltip | null> {
  const text = view.state.doc.toString();
  const line = view.state.doc.lineAt(position);
  const key = /^\s*(?:- +)*([\w./-]+)\s*:/.exec(line.text);
  if (!key?.[1]) return null;
  const start = line.from + line.text.indexOf(key[1]);
  if (position < start || position > start + key[1].length) return null;
  const { document, root } = await schemaAround(text, position);
  const schema = schemaAt(document, root, [...placeAt(text, start).path, key[1]]);
  if (!schema) return null;
  const name = key[1];
  return {
    pos: start,
    end: start + name.length,
    create: () => ({ dom: explanation(name, typeName(document, schema), schema.description ?? '') }),
  };
}

function explanation(name: string, type: string, description: string): HTMLElement {
  const box = document.createElement('div');
  box.className = 'ks-yaml-explanation';
  const title = document.createElement('strong');
  title.textContent = `${name}: ${type}`;
  const body = document.createElement('p');
  body.textContent = description;
  box.append(title, body);
  return box;
}

async function check(view: EditorView): Promise<Diagnostic[]> {
  const text = view.state.doc.toString();
  const { problems } = readManifest(text);
  if (problems.length > 0) return problems.map((each) => ({ ...each, severity: 'error' }));
  const found: Diagnostic[] = [];
  for (const parsed of [...parseAllDocuments(text)]) {
    if (!('contents' in parsed)) continue;
    const object: unknown = parsed.toJS();
    const { apiVersion = '', kind = '' } = (object ?? {}) as { apiVersion?: string; kind?: string };
    const document = await schemaDocument(apiVersion);
    for (const each of unknownFields(document, rootSchema(document, apiVersion, kind), object)) {
      const node = parsed.getIn(each.path, true) as { range?: [number, number, number] } | undefined;
      const to = node?.range?.[0] ?? 0;
      const from = Math.max(0, text.lastIndexOf(each.name, to));
      found.push({
        from,
        to: from + each.name.length,
        severity: 'warning',
        message: `${kind} has no field ${each.path.join('.')}`,
      });
    }
  }
  return found;
}
