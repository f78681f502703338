/** /workspaces/:ws/... */
import type { AnyRoute } from '@tanstack/react-router';

export const workspaceRoutes = (_shell: AnyRoute): AnyRoute[] => [];
