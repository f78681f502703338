/** /platform/... */
import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const platformRoutes = (shell: AnyRoute) => [
  createRoute({
    getParentRoute: () => shell,
    path: '/platform/workspaces',
    component: lazyRouteComponent(() => import('@/pages/platform/workspaces'), 'WorkspacesPage'),
  }),
];
