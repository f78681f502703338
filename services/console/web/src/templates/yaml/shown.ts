/** An object as somebody reads and edits it: without what only the server keeps. Pure. */
import { stringify } from 'yaml';
import type { KubeObject } from '@/api/objects';
import { WRITTEN } from './document';

const KEPT_BY_SERVER = ['managedFields', 'selfLink'];
const OF_THE_MOMENT = ['resourceVersion', 'generation', 'uid', 'creationTimestamp'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
export const MASK = '••••••••';

/** The text to edit: as the server has it, but for what no one may change and the status. */
export function editable(object: KubeObject): string {
  const { status: _, ...rest } = object;
  return stringify(
    { ...rest, metadata: without(object.metadata, [...KEPT_BY_SERVER, ...OF_THE_MOMENT]) },
    WRITTEN,
  );
}

/** What of an edited object is sent: with the version that it was made from, so that nothing is overwritten unseen. */
export function toSend(edited: KubeObject, original: KubeObject): KubeObject {
  const { resourceVersion, uid } = original.metadata;
  return { ...edited, metadata: { ...edited.metadata, resourceVersion, uid } };
}

/** Two texts to be compared: what is, and what would be. */
export function comparable(object: KubeObject): string {
  const annotations = { ...object.metadata.annotations };
  delete annotations[LAST_APPLIED];
  const { annotations: _, ...metadata } = object.metadata;
  const kept = Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata;
  return editable({ ...object, metadata: kept });
}

/** Values of a secret are not for whoever looks over one's shoulder. */
export function masked(object: KubeObject): KubeObject {
  const secret = object as KubeObject & {
    data?: Record<string, string>;
    stringData?: Record<string, string>;
  };
  if (object.kind !== 'Secret') return object;
  const hide = (values: Record<string, string> | undefined) =>
    values && Object.fromEntries(Object.keys(values).map((key) => [key, MASK]));
  const annotations = { ...object.metadata.annotations };
  if (LAST_APPLIED in annotations) annotations[LAST_APPLIED] = MASK;
  const hidden = {
    ...secret,
    metadata: object.metadata.annotations ? { ...object.metadata, annotations } : object.metadata,
    data: hide(secret.data),
    stringData: hide(secret.stringData),
  };
  return JSON.parse(JSON.stringify(hidden)) as KubeObject;
}

function without(metadata: object, keys: string[]): object {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !keys.includes(key)));
}
