/** Every address of the application. A page is loaded when it is first gone to. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { forgetUnused, queryClient } from '@/api/queries';
import { SESSION_QUERY } from './current-session';
import { NotFound, Problem } from './problem';
import { platformRoutes } from './routes/platform';
import { projectRoutes } from './routes/project';
import { workspaceRoutes } from './routes/workspace';
import { parseSearch, stringifySearch, type UrlState } from './url-state';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: lazyRouteComponent(() => import('@/pages/sign-in/login'), 'LoginPage'),
});

const firstPassword = createRoute({
  getParentRoute: () => root,
  path: '/first-password',
  beforeLoad: async () => {
    const session = await queryClient.ensureQueryData(SESSION_QUERY);
    if (session.user === null) throw redirect({ to: '/login' });
  },
  component: lazyRouteComponent(() => import('@/pages/sign-in/first-password'), 'FirstPasswordPage'),
});

/** Everything that takes a session. Who has none is led to the login, and back afterwards. */
export const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(SESSION_QUERY);
    if (session.user === null) {
      const search: UrlState = { next: location.href };
      if (session.ended) search.ended = '1';
      throw redirect({ to: '/login', search: search as never });
    }
    if (session.user.password_change_required) throw redirect({ to: '/first-password' });
  },
  component: lazyRouteComponent(() => import('./shell'), 'Shell'),
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('@/pages/home'), 'HomePage'),
});

const tree = root.addChildren([
  login,
  firstPassword,
  shell.addChildren([home, ...platformRoutes(shell), ...workspaceRoutes(shell), ...projectRoutes(shell)]),
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: ({ error, reset }) => {
    const retry = () => {
      forgetUnused();
      reset();
    };
    return <Problem error={error} retry={retry} />;
  },
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});
