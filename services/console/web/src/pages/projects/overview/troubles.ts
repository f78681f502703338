/** What of a project is not as it should be, the worst first. */
import { useLiveList } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import type { Claim, Job, Pod, Workload } from '../objects';
import type { KindName, Project } from '../place';
import {
  needsAttention,
  type Status,
  statusOfClaim,
  statusOfJob,
  statusOfPod,
  statusOfWorkload,
} from '../status';

export interface Trouble {
  kind: KindName;
  name: string;
  since: string | undefined;
  status: Status;
}

const LOOKED_AT = 100;
const NEWEST = { orderBy: 'createTime', reverse: true, limit: LOOKED_AT };

export function useTroubles({ namespace }: Project): {
  troubles: Trouble[];
  /** Of all, those that are not looked at one by one included. */
  count: number;
  isLoading: boolean;
  error: string;
} {
  const updating = { ...NEWEST, conditions: { status: 'updating' } };
  const deployments = useLiveList<Workload>('deployments', namespace, updating);
  const statefulsets = useLiveList<Workload>('statefulsets', namespace, updating);
  const daemonsets = useLiveList<Workload>('daemonsets', namespace, updating);
  const jobs = useLiveList<Job>('jobs', namespace, { ...NEWEST, conditions: { status: 'failed' } });
  const claims = useLiveList<Claim>('persistentvolumeclaims', namespace, {
    ...NEWEST,
    conditions: { status: 'pending|lost' },
  });
  const pods = useLiveList<Pod>('pods', namespace, { ...NEWEST, conditions: { abnormal: 'true' } });
  const lists = [deployments, statefulsets, daemonsets, jobs, claims, pods];
  const troubles = [
    ...troublesIn('deployments', deployments.items, statusOfWorkload),
    ...troublesIn('statefulsets', statefulsets.items, statusOfWorkload),
    ...troublesIn('daemonsets', daemonsets.items, statusOfWorkload),
    ...troublesIn('jobs', jobs.items, statusOfJob),
    ...troublesIn('persistentvolumeclaims', claims.items, statusOfClaim),
    ...troublesIn('pods', pods.items, statusOfPod),
  ];
  const notLookedAt = lists.reduce((sum, list) => sum + Math.max(0, list.total - list.items.length), 0);
  return {
    troubles: worstFirst(troubles),
    count: troubles.length + notLookedAt,
    isLoading: lists.some((list) => list.isLoading && !list.error),
    error: lists.find((list) => list.error)?.error?.message ?? '',
  };
}

export function troublesIn<T extends KubeObject>(
  kind: KindName,
  items: readonly T[],
  statusOf: (item: T) => Status,
): Trouble[] {
  return items
    .map((item) => ({
      kind,
      name: item.metadata.name,
      since: item.metadata.creationTimestamp,
      status: statusOf(item),
    }))
    .filter((each) => needsAttention(each.status));
}

/** What has failed comes before what only takes its time. */
export function worstFirst(troubles: readonly Trouble[]): Trouble[] {
  const rank = ({ status }: Trouble) => (status.tone === 'danger' ? 0 : 1);
  return [...troubles].sort((one, other) => rank(one) - rank(other));
}
