/** What who is signed in may do in a workspace or a project; pages hide what these do not hold. */
import type { Permission } from '@/api/client';
import { TENANT } from '@/api/paths';
import { useGet } from '@/api/queries';
import { allows } from './session';

export interface Rights {
  /** Whether `action` on `name` is allowed; false until the answer is there. */
  may: (name: string, action: string) => boolean;
  isLoading: boolean;
  /** The answer is there, and holds nothing at all. */
  none: boolean;
}

export function useWorkspaceRights(workspace: string): Rights {
  return useRights(`${TENANT}/workspaces/${encodeURIComponent(workspace)}/rules`, workspace !== '');
}

export function useProjectRights(namespace: string): Rights {
  return useRights(`${TENANT}/namespaces/${encodeURIComponent(namespace)}/rules`, namespace !== '');
}

function useRights(path: string, enabled: boolean): Rights {
  const { data, isPending } = useGet<Permission[]>(path, { enabled });
  return {
    may: (name, action) => allows(data, name, action),
    isLoading: enabled && isPending,
    none: data !== undefined && data.length === 0,
  };
}
