/** What applying a manifest would do: the apiserver tries it without effect, as who is signed in. */
import { request } from '@/api/client';
import { RESOURCES } from '@/api/paths';

export interface TriedDocument {
  apiVersion: string;
  kind: string;
  name: string;
  action?: 'create' | 'update' | 'none';
  changes?: { op: string; path: string; before?: unknown; after?: unknown }[];
  error?: { message: string; reason: string };
}

export interface Trial {
  items: TriedDocument[];
}

export function tryManifest(text: string, namespace: string): Promise<Trial> {
  return request(`${RESOURCES}/dryrun?namespace=${encodeURIComponent(namespace)}`, {
    method: 'POST',
    body: text,
    contentType: 'application/yaml',
  });
}
