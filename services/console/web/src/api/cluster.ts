/** Kubernetes' own API, through the console and as who is signed in: where objects of a kind are. */

import { del, get, patch, post, request } from './client';
import type { KubeObject } from './objects';

/** A kind of objects in namespaces. */
export interface KindRef {
  apiVersion: string;
  kind: string;
  plural: string;
}

const CORE = 'v1';
const table = (apiVersion: string, kind: string, plural: string): KindRef => ({ apiVersion, kind, plural });

export const CLUSTER_KINDS = {
  deployments: table('apps/v1', 'Deployment', 'deployments'),
  statefulsets: table('apps/v1', 'StatefulSet', 'statefulsets'),
  daemonsets: table('apps/v1', 'DaemonSet', 'daemonsets'),
  replicasets: table('apps/v1', 'ReplicaSet', 'replicasets'),
  controllerrevisions: table('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  jobs: table('batch/v1', 'Job', 'jobs'),
  cronjobs: table('batch/v1', 'CronJob', 'cronjobs'),
  pods: table(CORE, 'Pod', 'pods'),
  services: table(CORE, 'Service', 'services'),
  endpointslices: table('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  ingresses: table('networking.k8s.io/v1', 'Ingress', 'ingresses'),
  networkpolicies: table('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  persistentvolumeclaims: table(CORE, 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  configmaps: table(CORE, 'ConfigMap', 'configmaps'),
  secrets: table(CORE, 'Secret', 'secrets'),
  serviceaccounts: table(CORE, 'ServiceAccount', 'serviceaccounts'),
  resourcequotas: table(CORE, 'ResourceQuota', 'resourcequotas'),
  limitranges: table(CORE, 'LimitRange', 'limitranges'),
  rolebindings: table('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  roles: table('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  events: table(CORE, 'Event', 'events'),
} satisfies Record<string, KindRef>;

export type ClusterKind = keyof typeof CLUSTER_KINDS;

/** The kind of that name, where it is one that pages know. */
export function kindNamed(kind: string): KindRef | undefined {
  return Object.values(CLUSTER_KINDS).find((each) => each.kind === kind);
}

/** The path of a list in `namespace`, or of the object `name`. */
export function clusterPath(
  ref: Pick<KindRef, 'apiVersion' | 'plural'>,
  namespace: string,
  name = '',
): string {
  const root = ref.apiVersion.includes('/') ? `/apis/${ref.apiVersion}` : `/api/${ref.apiVersion}`;
  const list = `${root}/namespaces/${encodeURIComponent(namespace)}/${ref.plural}`;
  return name ? `${list}/${encodeURIComponent(name)}` : list;
}

/** Where `object` is. Throws where its kind is none that pages know. */
export function pathOfObject(object: KubeObject): string {
  const ref = kindNamed(object.kind ?? '');
  if (!ref) throw new Error(`${object.kind ?? 'An object without a kind'} cannot be reached from here`);
  return clusterPath(
    { ...ref, apiVersion: object.apiVersion ?? ref.apiVersion },
    object.metadata.namespace ?? '',
    object.metadata.name,
  );
}

export interface KubeList<T> {
  items: T[];
  metadata: { continue?: string; remainingItemCount?: number };
}

/** At most `limit` objects of a kind, in the order of their names. */
export function listObjects<T extends KubeObject>(
  ref: KindRef,
  namespace: string,
  selectors: { labelSelector?: string; fieldSelector?: string } = {},
  limit = 500,
): Promise<KubeList<T>> {
  const parameters = new URLSearchParams({ limit: String(limit) });
  for (const [key, value] of Object.entries(selectors)) if (value) parameters.set(key, value);
  return get<KubeList<T>>(`${clusterPath(ref, namespace)}?${parameters}`);
}

export const STRATEGIC = 'application/strategic-merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';

export function patchObject<T = KubeObject>(path: string, body: unknown, contentType?: string): Promise<T> {
  return patch<T>(path, body, contentType);
}

export function createObject(ref: KindRef, namespace: string, object: unknown): Promise<KubeObject> {
  return post(clusterPath(ref, namespace), object);
}

/** Replaces what is at `path`; with `dryRun` only as a trial. Gives the object as the server has it then. */
export function replaceObject(path: string, object: KubeObject, dryRun = false): Promise<KubeObject> {
  return request(dryRun ? `${path}?dryRun=All` : path, { method: 'PUT', json: object });
}

export interface Removal {
  /** What the object owns: with `Background` it goes as well, with `Orphan` it stays. */
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  dryRun?: boolean;
}

export function removeObject(
  path: string,
  { propagationPolicy = 'Background', dryRun }: Removal = {},
): Promise<unknown> {
  return del(path, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy,
    ...(dryRun ? { dryRun: ['All'] } : {}),
  });
}

const FIELD_MANAGER = 'kubesphere';

/** Applies one document, as the trial of the apiserver's `dryrun` did. */
export function applyObject(object: KubeObject, namespace: string): Promise<KubeObject> {
  const whole = {
    ...object,
    metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace },
  };
  return request(`${pathOfObject(whole)}?fieldManager=${FIELD_MANAGER}&force=true`, {
    method: 'PATCH',
    json: whole,
    contentType: 'application/apply-patch+yaml',
  });
}
