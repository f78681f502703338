import { describe, expect, it } from 'vitest';
import { exposed, renamed, withPort } from '@/pages/projects/create/workload-manifest';
import { encoded, entriesOf, patchOf } from '@/pages/projects/data-entries';
import { allowedBy, isolationPolicy } from '@/pages/projects/isolation-policy';
import type { CronJob, Job, Pod, ReplicaSet, Workload } from '@/pages/projects/objects';
import { troublesIn, worstFirst } from '@/pages/projects/overview/troubles';
import { amountOf, shareOf } from '@/pages/projects/quotas/quantity';
import { revisionsOfDeployment, revisionsOfOther } from '@/pages/projects/revisions';
import {
  replicasOf,
  restartsOf,
  type Status,
  statusOfClaim,
  statusOfCronJob,
  statusOfJob,
  statusOfPod,
  statusOfWorkload,
} from '@/pages/projects/status';
import { manifestOf, readManifest } from '@/templates/yaml/document';

const labels = { app: 'web' };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'demo', labels },
  spec: {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 8080 }] }] },
    },
  },
};

describe('the manifest of a workload', () => {
  const both = exposed(manifestOf(deployment), true);

  it('gets a service in front of its port, and loses it again', () => {
    const service = readManifest(both).objects[1];
    expect(service).toMatchObject({
      kind: 'Service',
      metadata: { name: 'web', namespace: 'demo' },
      spec: { selector: labels, ports: [{ port: 8080, targetPort: 8080 }] },
    });
    expect(exposed(both, true)).toBe(both);
    expect(readManifest(exposed(both, false)).objects).toEqual([deployment]);
  });

  it('is called otherwise wherever it was called so', () => {
    const text = renamed(both, 'shop');
    expect(text).not.toMatch(/(name|app): web$/m);
    expect(text).toContain('image: web:1');
    const other = manifestOf({ ...deployment, metadata: { name: 'web', labels: { app: 'mine' } } });
    expect(readManifest(renamed(other, 'shop')).objects[0]?.metadata).toEqual({
      name: 'shop',
      labels: { app: 'mine' },
    });
  });

  it('of a scheduled job has its template deeper', () => {
    const job = {
      kind: 'CronJob',
      metadata: { name: 'tidy' },
      spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'tidy' }] } } } } },
    };
    expect(renamed(manifestOf(job), 'sweep')).not.toContain('tidy');
  });

  it('listens on another port, and its service leads there', () => {
    const objects = readManifest(withPort(both, 9090)).objects;
    expect(JSON.stringify(objects)).not.toContain('8080');
    expect(objects[1]).toMatchObject({ spec: { ports: [{ name: 'http', port: 9090, targetPort: 9090 }] } });
    expect(withPort(manifestOf(deployment), 0)).not.toContain('ports');
  });
});

const owner = {
  metadata: { name: 'web', uid: 'u', annotations: { 'deployment.kubernetes.io/revision': '2' } },
};
const owned = (name: string, uid = 'u') => ({ name, ownerReferences: [{ uid }] });
const set = (name: string, number: string, uid = 'u') =>
  ({
    metadata: { ...owned(name, uid), annotations: { 'deployment.kubernetes.io/revision': number } },
    spec: { template: { metadata: { labels: { app: 'web', 'pod-template-hash': name } } } },
  }) as unknown as ReplicaSet;

describe('revisions', () => {
  it('of a deployment are its own replica sets, the latest first', () => {
    const found = revisionsOfDeployment(owner as unknown as Workload, [
      set('a', '2'),
      set('b', '10'),
      set('c', '9', 'other'),
    ]);
    expect(found.map((each) => [each.number, each.isCurrent])).toEqual([
      [10, false],
      [2, true],
    ]);
    expect(found[0]?.template.metadata?.labels).toEqual(labels);
  });

  it('of others are what their controller kept', () => {
    const kept = [1, 3, 2].map((revision) => ({
      metadata: owned(`web-${revision}`),
      revision,
      data: { spec: { template: {} } },
    }));
    const of = (status: object) =>
      revisionsOfOther({ ...owner, status } as unknown as Workload, kept as never).map((each) => [
        each.number,
        each.isCurrent,
      ]);
    expect(of({})).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ]);
    expect(of({ updateRevision: 'web-2' })).toContainEqual([2, true]);
    expect(of({ updateRevision: 'web-2' })).toContainEqual([3, false]);
  });
});

const metadata = { name: 'x' };
const gone = { name: 'x', deletionTimestamp: '2026-01-10T12:00:00Z' };
const container = (state: object, ready = false) => ({ name: 'c', ready, restartCount: 2, state });
const pod = (status: object, more: object = {}) =>
  ({ metadata, spec: {}, status, ...more }) as unknown as Pod;

describe('how a pod is', () => {
  it.each<[string, Pod, Partial<Status>]>([
    ['ready', pod({ phase: 'Running', containerStatuses: [container({}, true)] }), { key: 'running' }],
    [
      'not ready',
      pod({ phase: 'Running', containerStatuses: [container({}, true), container({})] }),
      { key: 'notReady', tone: 'warning', reason: '1 / 2' },
    ],
    [
      'in a loop',
      pod({ phase: 'Running', containerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff' } })] }),
      { key: 'waiting', tone: 'danger', reason: 'CrashLoopBackOff' },
    ],
    [
      'starting',
      pod(
        { phase: 'Pending', containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } })] },
        { spec: { nodeName: 'n' } },
      ),
      { key: 'starting', tone: 'info' },
    ],
    [
      'without a place',
      pod({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
      }),
      { key: 'pending', tone: 'warning', reason: 'Unschedulable' },
    ],
    ['done', pod({ phase: 'Succeeded' }), { key: 'complete', tone: 'success' }],
    ['evicted', pod({ phase: 'Failed', reason: 'Evicted' }), { key: 'failed', reason: 'Evicted' }],
    [
      'failed',
      pod({
        phase: 'Failed',
        containerStatuses: [container({ terminated: { exitCode: 1, reason: 'OOMKilled' } })],
      }),
      { key: 'failed', reason: 'OOMKilled' },
    ],
    ['going', pod({ phase: 'Running' }, { metadata: gone }), { key: 'terminating', tone: 'neutral' }],
    ['lost', pod({ phase: 'Unknown' }), { key: 'unknown' }],
  ])('%s', (_, given, status) => expect(statusOfPod(given)).toMatchObject(status));

  it('counts the restarts of all its containers', () => {
    const all = { initContainerStatuses: [container({})], containerStatuses: [container({})] };
    expect(restartsOf(pod(all))).toBe(4);
  });
});

const workload = (spec: object, status: object, more: object = {}) =>
  ({ metadata: { name: 'x', generation: 2, ...more }, spec, status }) as unknown as Workload;
const current = { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2 };

describe('how a workload is', () => {
  it.each<[string, Workload, Partial<Status>]>([
    ['as wanted', workload({ replicas: 2 }, current), { key: 'running', tone: 'success' }],
    ['not seen yet', workload({ replicas: 2 }, { ...current, observedGeneration: 1 }), { key: 'updating' }],
    [
      'half there',
      workload({ replicas: 2 }, { ...current, readyReplicas: 1 }),
      { key: 'updating', tone: 'info', reason: '1 / 2' },
    ],
    ['not there', workload({ replicas: 2 }, { observedGeneration: 2 }), { tone: 'warning', reason: '0 / 2' }],
    ['half new', workload({ replicas: 2 }, { ...current, updatedReplicas: 1 }), { key: 'updating' }],
    ['stopped', workload({ replicas: 0 }, {}), { key: 'stopped', tone: 'neutral' }],
    ['paused', workload({ replicas: 2, paused: true }, current), { key: 'paused' }],
    [
      'stuck',
      workload(
        { replicas: 2 },
        { ...current, conditions: [{ type: 'Progressing', status: 'False', message: 'too long' }] },
      ),
      { key: 'failed', tone: 'danger', reason: 'too long' },
    ],
    ['going', workload({}, {}, { deletionTimestamp: 'x' }), { key: 'terminating' }],
  ])('%s', (_, given, status) => expect(statusOfWorkload(given)).toMatchObject(status));

  it('of every node counts nodes', () => {
    expect(replicasOf(workload({}, { desiredNumberScheduled: 3, numberReady: 1 }))).toEqual({
      ready: 1,
      wanted: 3,
    });
  });

  it.each([
    [{ status: { conditions: [{ type: 'Failed', status: 'True', message: 'limit' }] } }, 'failed'],
    [{ status: { conditions: [{ type: 'Complete', status: 'True' }] } }, 'complete'],
    [{ spec: { suspend: true } }, 'paused'],
    [{ status: { active: 1 } }, 'running'],
    [{}, 'pending'],
  ])('a job of %j is %s', (given, key) => {
    expect(statusOfJob({ metadata, ...given } as unknown as Job).key).toBe(key);
  });

  it('a suspended schedule is paused, a lost volume a danger', () => {
    expect(statusOfCronJob({ metadata, spec: { suspend: true } } as unknown as CronJob).key).toBe('paused');
    expect(statusOfClaim({ metadata, status: { phase: 'Lost' } } as never)).toMatchObject({ tone: 'danger' });
    expect(statusOfClaim({ metadata, status: { phase: 'Bound' } } as never).key).toBe('bound');
    expect(statusOfClaim({ metadata } as never)).toMatchObject({ key: 'pending', tone: 'warning' });
  });

  it('is a trouble where somebody has to look, failures first', () => {
    const pods = [
      pod({ phase: 'Running', containerStatuses: [container({})] }),
      pod({ phase: 'Failed' }),
      pod({ phase: 'Succeeded' }),
    ];
    expect(worstFirst(troublesIn('pods', pods, statusOfPod)).map((each) => each.status.key)).toEqual([
      'failed',
      'notReady',
    ]);
  });
});

describe('an amount', () => {
  it.each([
    ['250m', 0.25],
    ['2', 2],
    ['1Ki', 1024],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1k', 1000],
    ['1e3', 1000],
    ['-1', -1],
  ])('of %s is %d', (text, amount) => expect(amountOf(text)).toBeCloseTo(amount));

  it.each(['', 'x', '1Kib', '1 Gi', 'Gi'])('is not %j', (text) => expect(amountOf(text)).toBeNaN());

  it('is a share of what is allowed', () => {
    expect(shareOf('500m', '2')).toBe(0.25);
    expect(shareOf('1Gi', '512Mi')).toBe(2);
    expect(shareOf('0', '0')).toBe(1);
    expect(shareOf('1', '0')).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('entries of a secret', () => {
  it('are text where they are, and survive being written', () => {
    const secret = { kind: 'Secret', metadata, data: { a: encoded('grüß 你好'), b: '/w==' } };
    expect(entriesOf(secret)).toEqual([
      { key: 'a', text: 'grüß 你好', size: 13 },
      { key: 'b', text: null, size: 1 },
    ]);
    expect(patchOf(true, 'a', 'x')).toEqual({ data: { a: 'eA==' } });
  });

  it('of a config map are as they are', () => {
    const map = { kind: 'ConfigMap', metadata, data: { a: 'x' }, binaryData: { b: 'eA==' } };
    expect(entriesOf(map).map((each) => [each.key, each.text])).toEqual([
      ['a', 'x'],
      ['b', 'x'],
    ]);
    expect(patchOf(false, 'a', 'x')).toEqual({ data: { a: 'x' } });
  });
});

describe('isolation', () => {
  it('remembers who is let in', () => {
    expect(allowedBy(isolationPolicy('demo', ['one', 'two']))).toEqual(['one', 'two']);
    expect(allowedBy(undefined)).toEqual([]);
  });

  it('lets in the project itself and the routers, and nobody by default', () => {
    const policy = isolationPolicy('demo', []);
    expect(policy.spec?.podSelector).toEqual({});
    expect(policy.spec?.ingress?.[0]?.from?.[0]).toEqual({ podSelector: {} });
    expect(allowedBy(policy)).toEqual([]);
  });
});
