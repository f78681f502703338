/** What a project may use, uses and has left. */
import { RESOURCES } from '@/api/paths';
import { useGet } from '@/api/queries';

export interface Quotas {
  namespace: string;
  data: {
    hard?: Record<string, string>;
    used?: Record<string, string>;
    left?: Record<string, string>;
  };
}

const LOOK_AGAIN_MS = 15_000;

export function useQuotas(namespace: string) {
  return useGet<Quotas>(`${RESOURCES}/namespaces/${encodeURIComponent(namespace)}/quotas`, {
    refetchInterval: LOOK_AGAIN_MS,
  });
}
