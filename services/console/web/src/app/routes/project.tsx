/** /workspaces/:ws/projects/:ns/... */
import type { AnyRoute } from '@tanstack/react-router';

export const projectRoutes = (_shell: AnyRoute): AnyRoute[] => [];
