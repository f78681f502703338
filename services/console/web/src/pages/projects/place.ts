/** Where the pages of a project are. Pure but for the hook. */
import { useLocation } from '@tanstack/react-router';
import { placeOf } from '@/app/navigation/place';

export const KIND_PLACES = {
  deployments: 'workloads/deployments',
  statefulsets: 'workloads/statefulsets',
  daemonsets: 'workloads/daemonsets',
  jobs: 'workloads/jobs',
  cronjobs: 'workloads/cronjobs',
  pods: 'pods',
  services: 'services',
  ingresses: 'routes',
  persistentvolumeclaims: 'volumes',
  configmaps: 'config/configmaps',
  secrets: 'config/secrets',
  serviceaccounts: 'config/serviceaccounts',
} as const;

export type KindName = keyof typeof KIND_PLACES;

export function projectBase(workspace: string, project: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/projects/${encodeURIComponent(project)}`;
}

/** The kind and the name that an address is about. */
export function kindAt(pathname: string): { kind: KindName; name: string } | null {
  const rest = pathname.split('/').slice(5).map(decodeURIComponent);
  for (const [kind, place] of Object.entries(KIND_PLACES)) {
    const parts = place.split('/');
    if (parts.every((part, index) => rest[index] === part)) {
      return { kind: kind as KindName, name: rest[parts.length] ?? '' };
    }
  }
  return null;
}

export interface Project {
  workspace: string;
  namespace: string;
  /** The address of the project itself. */
  base: string;
  listPath: (kind: KindName) => string;
  objectPath: (kind: KindName, name: string) => string;
  createPath: (kind: KindName) => string;
}

export function useProject(): Project {
  const { workspace, project } = placeOf(useLocation().pathname);
  const base = projectBase(workspace, project);
  return {
    workspace,
    namespace: project,
    base,
    listPath: (kind) => `${base}/${KIND_PLACES[kind]}`,
    objectPath: (kind, name) => `${base}/${KIND_PLACES[kind]}/${encodeURIComponent(name)}`,
    createPath: (kind) => `${base}/create/${kind}`,
  };
}
