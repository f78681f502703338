/** /platform/... and /me */
import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const platformRoutes = (shell: AnyRoute): AnyRoute[] => {
  const at = (path: string, component: ReturnType<typeof lazyRouteComponent>) =>
    createRoute({ getParentRoute: () => shell, path, component });
  return [
    at(
      '/platform/workspaces',
      lazyRouteComponent(() => import('@/pages/platform/workspaces'), 'WorkspacesPage'),
    ),
    at(
      '/platform/projects',
      lazyRouteComponent(() => import('@/pages/platform/projects'), 'ProjectsPage'),
    ),
    at(
      '/platform/accounts',
      lazyRouteComponent(() => import('@/pages/platform/accounts'), 'AccountsPage'),
    ),
    at(
      '/platform/accounts/$name',
      lazyRouteComponent(() => import('@/pages/platform/account'), 'AccountPage'),
    ),
    at(
      '/platform/roles',
      lazyRouteComponent(() => import('@/pages/platform/roles'), 'RolesPage'),
    ),
    at(
      '/platform/nodes',
      lazyRouteComponent(() => import('@/pages/platform/nodes'), 'NodesPage'),
    ),
    at(
      '/platform/nodes/$name',
      lazyRouteComponent(() => import('@/pages/platform/node'), 'NodePage'),
    ),
    at(
      '/platform/storageclasses',
      lazyRouteComponent(() => import('@/pages/platform/storage-classes'), 'StorageClassesPage'),
    ),
    at(
      '/platform/components',
      lazyRouteComponent(() => import('@/pages/platform/components'), 'ComponentsPage'),
    ),
    at(
      '/me',
      lazyRouteComponent(() => import('@/pages/me/me'), 'MePage'),
    ),
  ];
};
