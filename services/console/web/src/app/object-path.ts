/** Where an object that was found is shown. */
export interface Found {
  resource: string;
  kind: string;
  name: string;
  namespace: string;
  displayName: string;
}

const WORKLOADS = ['deployments', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs'];
const IN_PROJECT: Record<string, string> = {
  pods: 'pods',
  services: 'services',
  ingresses: 'routes',
  persistentvolumeclaims: 'volumes',
  configmaps: 'config/configmaps',
  secrets: 'config/secrets',
  serviceaccounts: 'config/serviceaccounts',
};

/** The address; `/projects/:ns/...` leads to the project's workspace, which an object does not say. */
export function pathOf(found: Found): string {
  const { resource, namespace, name } = found;
  if (!namespace) {
    if (resource === 'workspaces') return `/workspaces/${name}`;
    if (resource === 'namespaces') return `/projects/${name}`;
    if (resource === 'nodes') return `/platform/nodes/${name}`;
    if (resource === 'storageclasses') return '/platform/storageclasses';
    return resource === 'clusterroles' ? '/platform/roles' : '/';
  }
  const base = `/projects/${namespace}`;
  if (WORKLOADS.includes(resource)) return `${base}/workloads/${resource}/${name}`;
  const place = IN_PROJECT[resource];
  return place ? `${base}/${place}/${name}` : base;
}
