/** /workspaces/:ws/..., and /projects/:ns/... for who does not know the workspace */
import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const workspaceRoutes = (shell: AnyRoute): AnyRoute[] => {
  const at = (path: string, component: ReturnType<typeof lazyRouteComponent>) =>
    createRoute({ getParentRoute: () => shell, path, component });
  return [
    at(
      '/workspaces/$ws',
      lazyRouteComponent(() => import('@/pages/workspace/overview'), 'WorkspaceOverview'),
    ),
    at(
      '/workspaces/$ws/projects',
      lazyRouteComponent(() => import('@/pages/workspace/projects'), 'WorkspaceProjects'),
    ),
    at(
      '/workspaces/$ws/members',
      lazyRouteComponent(() => import('@/pages/workspace/members'), 'WorkspaceMembers'),
    ),
    at(
      '/workspaces/$ws/roles',
      lazyRouteComponent(() => import('@/pages/workspace/roles'), 'WorkspaceRoles'),
    ),
    at(
      '/workspaces/$ws/quotas',
      lazyRouteComponent(() => import('@/pages/workspace/quotas'), 'WorkspaceQuotas'),
    ),
    at(
      '/projects/$ns',
      lazyRouteComponent(() => import('@/pages/project-redirect'), 'ProjectRedirect'),
    ),
    at(
      '/projects/$ns/$',
      lazyRouteComponent(() => import('@/pages/project-redirect'), 'ProjectRedirect'),
    ),
  ];
};
