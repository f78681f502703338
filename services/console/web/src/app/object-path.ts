/** Where an object that was found is shown. */
import { KIND_PLACES } from '@/pages/projects/place';

export interface Found {
  resource: string;
  kind: string;
  name: string;
  namespace: string;
  displayName: string;
}

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
  const place = (KIND_PLACES as Record<string, string>)[resource];
  return place ? `${base}/${place}/${name}` : base;
}
