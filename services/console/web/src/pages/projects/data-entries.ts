/** Entries of config maps and secrets as text, and back. Pure. */
import type { KubeObject } from '@/api/objects';

export interface Entry {
  key: string;
  /** Null for what is no text. */
  text: string | null;
  /** In bytes. */
  size: number;
}

interface WithData extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

export function entriesOf(object: KubeObject): Entry[] {
  const { data = {}, binaryData = {} } = object as WithData;
  const isSecret = object.kind === 'Secret';
  const plain = Object.entries(data).map(([key, value]) =>
    isSecret ? decoded(key, value) : asText(key, value),
  );
  return [...plain, ...Object.entries(binaryData).map(([key, value]) => decoded(key, value))];
}

function asText(key: string, text: string): Entry {
  return { key, text, size: new TextEncoder().encode(text).length };
}

function decoded(key: string, base64: string): Entry {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  try {
    return { key, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), size: bytes.length };
  } catch {
    return { key, text: null, size: bytes.length };
  }
}

export function encoded(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** A merge patch that sets one entry. */
export function patchOf(isSecret: boolean, key: string, text: string): object {
  return { data: { [key]: isSecret ? encoded(text) : text } };
}
