/** /workspaces/:ws/projects/:ns/... */
import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { KIND_PLACES } from '@/pages/projects/place';

const BASE = '/workspaces/$workspace/projects/$project';

export const projectRoutes = (shell: AnyRoute): AnyRoute[] => {
  const route = (path: string, component: ReturnType<typeof lazyRouteComponent>) =>
    createRoute({ getParentRoute: () => shell, path: `${BASE}${path}`, component });
  const objects = lazyRouteComponent(() => import('@/pages/projects/objects-page'), 'ObjectsPage');
  const object = lazyRouteComponent(() => import('@/pages/projects/object-page'), 'ObjectPage');
  return [
    route(
      '',
      lazyRouteComponent(() => import('@/pages/projects/overview/overview-page'), 'ProjectOverviewPage'),
    ),
    ...Object.values(KIND_PLACES).flatMap((place) => [
      route(`/${place}`, objects),
      route(`/${place}/$name`, object),
    ]),
    route(
      '/create/$kind',
      lazyRouteComponent(() => import('@/pages/projects/create/create-page'), 'CreatePage'),
    ),
    route(
      '/members',
      lazyRouteComponent(() => import('@/pages/projects/members-page'), 'MembersPage'),
    ),
    route(
      '/roles',
      lazyRouteComponent(() => import('@/pages/projects/roles-page'), 'RolesPage'),
    ),
    route(
      '/quotas',
      lazyRouteComponent(() => import('@/pages/projects/quotas/quotas-page'), 'QuotasPage'),
    ),
    route(
      '/isolation',
      lazyRouteComponent(() => import('@/pages/projects/isolation-page'), 'IsolationPage'),
    ),
  ];
};
