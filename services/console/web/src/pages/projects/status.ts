/** How an object is doing, in a word and with the reason where it is not well. Pure. */
import type { KubeObject } from '@/api/objects';
import type { Claim, ContainerStatus, CronJob, Job, Pod, Workload } from './objects';

export type Tone = 'success' | 'warning' | 'danger' | 'info' | 'neutral';

/** Names of `project.status.…`; the first dozen are those that the services filter by. */
export type StatusKey =
  | 'running'
  | 'updating'
  | 'stopped'
  | 'paused'
  | 'complete'
  | 'failed'
  | 'bound'
  | 'pending'
  | 'lost'
  | 'terminating'
  | 'notReady'
  | 'starting'
  | 'waiting'
  | 'unknown';

export interface Status {
  key: StatusKey;
  tone: Tone;
  /** In the words of the cluster; empty where all is well. */
  reason: string;
}

const status = (key: StatusKey, tone: Tone, reason = ''): Status => ({ key, tone, reason });

export function isTerminating(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** How many are wanted, and how many are ready. */
export function replicasOf(workload: Workload): { ready: number; wanted: number } {
  const { desiredNumberScheduled, numberReady, readyReplicas } = workload.status ?? {};
  if (desiredNumberScheduled !== undefined)
    return { ready: numberReady ?? 0, wanted: desiredNumberScheduled };
  return { ready: readyReplicas ?? 0, wanted: workload.spec?.replicas ?? 1 };
}

export function statusOfWorkload(workload: Workload): Status {
  if (isTerminating(workload)) return status('terminating', 'neutral');
  const { ready, wanted } = replicasOf(workload);
  const failure = failureOf(workload);
  if (failure) return status('failed', 'danger', failure);
  if (wanted === 0) return status('stopped', 'neutral');
  if (workload.spec?.paused) return status('paused', 'info');
  if (ready === wanted && isCurrent(workload)) return status('running', 'success');
  return status('updating', ready === 0 ? 'warning' : 'info', `${ready} / ${wanted}`);
}

/** What its controller says of why it cannot go on. */
export function failureOf(workload: Workload): string {
  for (const condition of workload.status?.conditions ?? []) {
    const isFailure = condition.type === 'ReplicaFailure' && condition.status === 'True';
    const isStuck = condition.type === 'Progressing' && condition.status === 'False';
    if (isFailure || isStuck) return condition.message ?? condition.reason ?? '';
  }
  return '';
}

function isCurrent({ metadata, spec, status: now }: Workload): boolean {
  if ((now?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  const updated = now?.updatedReplicas ?? now?.updatedNumberScheduled;
  const wanted = now?.desiredNumberScheduled ?? spec?.replicas ?? 1;
  return updated === undefined || updated === wanted;
}

export function statusOfJob(job: Job): Status {
  if (isTerminating(job)) return status('terminating', 'neutral');
  const failed = job.status?.conditions?.find((each) => each.type === 'Failed' && each.status === 'True');
  if (failed) return status('failed', 'danger', failed.message ?? failed.reason);
  const done = job.status?.conditions?.some((each) => each.type === 'Complete' && each.status === 'True');
  if (done) return status('complete', 'success');
  if (job.spec?.suspend) return status('paused', 'info');
  if (job.status?.active) return status('running', 'info');
  return status('pending', 'neutral');
}

export function statusOfCronJob(job: CronJob): Status {
  if (isTerminating(job)) return status('terminating', 'neutral');
  return job.spec?.suspend ? status('paused', 'info') : status('running', 'success');
}

export function statusOfClaim(claim: Claim): Status {
  if (isTerminating(claim)) return status('terminating', 'neutral');
  const phase = claim.status?.phase;
  if (phase === 'Bound') return status('bound', 'success');
  return phase === 'Lost' ? status('lost', 'danger') : status('pending', 'warning');
}

export function statusOfPod(pod: Pod): Status {
  if (isTerminating(pod)) return status('terminating', 'neutral');
  const { phase, reason = '', message = '' } = pod.status ?? {};
  if (phase === 'Succeeded') return status('complete', 'success');
  if (phase === 'Failed') return status('failed', 'danger', reason || message || exitOf(pod));
  const troubled = containersOf(pod).map(troubleOf).find(Boolean);
  if (troubled) return status('waiting', 'danger', troubled);
  if (phase === 'Pending') return pendingStatus(pod);
  if (phase !== 'Running') return status('unknown', 'neutral', reason);
  const all = pod.status?.containerStatuses ?? [];
  return all.every((each) => each.ready)
    ? status('running', 'success')
    : status('notReady', 'warning', notReady(all));
}

function pendingStatus(pod: Pod): Status {
  const scheduled = pod.status?.conditions?.find((each) => each.type === 'PodScheduled');
  if (scheduled?.status === 'False') return status('pending', 'warning', scheduled.reason ?? '');
  return pod.spec?.nodeName ? status('starting', 'info') : status('pending', 'info');
}

function containersOf(pod: Pod): ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

const CALM = ['ContainerCreating', 'PodInitializing'];

function troubleOf({ state }: ContainerStatus): string {
  const reason = state?.waiting?.reason ?? '';
  if (reason && !CALM.includes(reason)) return reason;
  return state?.terminated && state.terminated.exitCode !== 0 ? (state.terminated.reason ?? 'Error') : '';
}

function exitOf(pod: Pod): string {
  return containersOf(pod).map(troubleOf).find(Boolean) ?? '';
}

function notReady(all: ContainerStatus[]): string {
  return `${all.filter((each) => each.ready).length} / ${all.length}`;
}

/** How often its containers were started anew. */
export function restartsOf(pod: Pod): number {
  return containersOf(pod).reduce((sum, each) => sum + each.restartCount, 0);
}

/** Whether somebody has to look at it: it should be ready, and is not. */
export function needsAttention({ tone }: Status): boolean {
  return tone === 'danger' || tone === 'warning';
}
