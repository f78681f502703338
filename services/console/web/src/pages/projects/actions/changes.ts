/** What can be done with objects, each as one request to the platform. */

import { request } from '@/api/client';
import { clusterPath, JSON_PATCH, patchObject, STRATEGIC } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import { OPERATIONS } from '@/api/paths';
import type { ProjectKind } from '../kind';
import type { ControllerRevision, PodTemplate, ReplicaSet } from '../objects';

export function objectPath(kind: ProjectKind, object: KubeObject): string {
  return clusterPath(kind.ref, object.metadata.namespace ?? '', object.metadata.name);
}

/** A deployment is scaled by its subresource, which those may change who may not change the deployment. */
export function scale(kind: ProjectKind, object: KubeObject, replicas: number): Promise<unknown> {
  const path = objectPath(kind, object);
  return patchObject(kind.name === 'deployments' ? `${path}/scale` : path, { spec: { replicas } });
}

/** Starts its pods anew, a few at a time, as `kubectl rollout restart` does. */
export function restart(kind: ProjectKind, object: KubeObject): Promise<unknown> {
  const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
  return patchObject(objectPath(kind, object), { spec: { template: { metadata: { annotations } } } });
}

export function setPaused(kind: ProjectKind, object: KubeObject, paused: boolean): Promise<unknown> {
  return patchObject(objectPath(kind, object), { spec: { paused } });
}

export function setSuspended(kind: ProjectKind, object: KubeObject, suspend: boolean): Promise<unknown> {
  return patchObject(objectPath(kind, object), { spec: { suspend } });
}

/** Runs a job again: the same one is deleted and created anew. */
export function rerun(object: KubeObject): Promise<unknown> {
  const { namespace = '', name, resourceVersion = '' } = object.metadata;
  const parameters = new URLSearchParams({ action: 'rerun', resourceVersion });
  const path = `${OPERATIONS}/namespaces/${encodeURIComponent(namespace)}/jobs/${encodeURIComponent(name)}`;
  return request(`${path}?${parameters}`, { method: 'POST' });
}

const HASH = 'pod-template-hash';

/** The template of a revision, without what the deployment's controller adds to it. */
export function templateOfReplicaSet(set: ReplicaSet): PodTemplate | undefined {
  const template = set.spec?.template;
  if (!template) return undefined;
  const { [HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** Takes a deployment back to a template it had. */
export function rollBackDeployment(
  kind: ProjectKind,
  object: KubeObject,
  template: PodTemplate,
): Promise<unknown> {
  const body = [{ op: 'replace', path: '/spec/template', value: template }];
  return patchObject(objectPath(kind, object), body, JSON_PATCH);
}

/** Takes a stateful set or daemon set back to a revision, which is kept as a patch. */
export function rollBackTo(
  kind: ProjectKind,
  object: KubeObject,
  revision: ControllerRevision,
): Promise<unknown> {
  return patchObject(objectPath(kind, object), revision.data, STRATEGIC);
}
