/** Objects of Kubernetes and of the platform, as far as pages read them. */
export interface Meta {
  name: string;
  namespace?: string;
  uid?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  generation?: number;
}

export interface OwnerReference {
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export interface KubeObject<Spec = object, Status = object> {
  apiVersion?: string;
  kind?: string;
  metadata: Meta;
  spec?: Spec;
  status?: Status;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** A page of a list, as every service answers it. */
export interface Page<T> {
  items: T[];
  total_count: number;
}

export const WORKSPACE_LABEL = 'kubesphere.io/workspace';
export const ALIAS = 'kubesphere.io/alias-name';
export const DESCRIPTION = 'kubesphere.io/description';

export function aliasOf(object: { metadata: Meta }): string {
  return object.metadata.annotations?.[ALIAS] ?? '';
}

export function descriptionOf(object: { metadata: Meta }): string {
  return object.metadata.annotations?.[DESCRIPTION] ?? '';
}
