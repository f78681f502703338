/** Manifests of workloads, changed as the form asks for it. Pure. */
import type { KubeObject } from '@/api/objects';
import { valueAt } from '@/templates/form/binding';
import { type Path, readManifest, withDocument, withoutDocument, withValue } from '@/templates/yaml/document';

/** Where a workload has the template of its pods. */
export function templatePath(kind: string | undefined): Path {
  return kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template'] : ['spec', 'template'];
}

/** Calls the workload another name, and what is called like it as well: labels, selector, first container, service. */
export function renamed(text: string, name: string): string {
  const { objects } = readManifest(text);
  const workload = objects[0];
  if (!workload) return text;
  const before = workload.metadata.name;
  const template = templatePath(workload.kind);
  const followers: Path[] = [
    ['metadata', 'labels', 'app'],
    ['spec', 'selector', 'matchLabels', 'app'],
    ['spec', 'serviceName'],
    [...template, 'metadata', 'labels', 'app'],
    [...template, 'spec', 'containers', 0, 'name'],
  ];
  let next = withValue(text, 0, ['metadata', 'name'], name);
  for (const path of followers) if (valueAt(workload, path) === before) next = withValue(next, 0, path, name);
  const service = serviceIndex(objects);
  if (service < 0) return next;
  for (const path of [
    ['metadata', 'name'],
    ['metadata', 'labels', 'app'],
    ['spec', 'selector', 'app'],
  ]) {
    if (valueAt(objects[service], path) === before) next = withValue(next, service, path, name);
  }
  return next;
}

export function serviceIndex(objects: readonly KubeObject[]): number {
  return objects.findIndex((each) => each.kind === 'Service');
}

/** The text with a service in front of the workload's first port, or without one. */
export function exposed(text: string, isExposed: boolean): string {
  const { objects } = readManifest(text);
  const workload = objects[0];
  const service = serviceIndex(objects);
  if (!workload || service >= 0 === isExposed) return text;
  if (!isExposed) return withoutDocument(text, service);
  const template = templatePath(workload.kind);
  const port = valueAt(workload, [...template, 'spec', 'containers', 0, 'ports', 0, 'containerPort']) ?? 80;
  return withDocument(text, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: workload.metadata.name,
      namespace: workload.metadata.namespace,
      labels: workload.metadata.labels,
    },
    spec: {
      selector: valueAt(workload, [...template, 'metadata', 'labels']),
      ports: [{ name: 'http', port, targetPort: port }],
    },
  });
}

/** The port that the first container listens on, and the service leads to; none with 0. */
export function withPort(text: string, port: number): string {
  const { objects } = readManifest(text);
  const path = [...templatePath(objects[0]?.kind), 'spec', 'containers', 0, 'ports'];
  const next = withValue(text, 0, path, port ? [{ containerPort: port }] : undefined);
  const service = serviceIndex(objects);
  if (service < 0 || !port) return next;
  return withValue(
    withValue(next, service, ['spec', 'ports', 0, 'port'], port),
    service,
    ['spec', 'ports', 0, 'targetPort'],
    port,
  );
}
