/** Ties a field of a form to a place in a manifest. */
import { type Path, readManifest, withValue } from '../yaml/document';

export interface Binding {
  /** What is at a path, of the document that the form is about. */
  get: <T>(path: Path) => T | undefined;
  /** Changes some places at once. Undefined takes away what is there. */
  set: (...changes: [Path, unknown][]) => void;
}

export function bind(text: string, onText: (text: string) => void, index = 0): Binding {
  const object: unknown = readManifest(text).objects[index];
  return {
    get: <T>(path: Path) => valueAt(object, path) as T | undefined,
    set: (...changes) =>
      onText(changes.reduce((now, [path, value]) => withValue(now, index, path, value), text)),
  };
}

export function valueAt(object: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[key] : undefined,
    object,
  );
}
