/** Deployments, stateful sets and daemon sets. */
import type { TFunction } from 'i18next';
import { CLUSTER_KINDS } from '@/api/cluster';
import { createdColumn } from '@/templates/columns';
import { Labels } from '@/templates/facts';
import { labelsColumn, nameColumn, statusColumn } from '../columns';
import { type ProjectKind, projectKind } from '../kind';
import type { Workload } from '../objects';
import type { KindName, Project } from '../place';
import { replicasOf, statusOfWorkload } from '../status';

const FILTERED = ['running', 'updating', 'stopped'] as const;

function columns(kind: KindName, sortedByUpdate: boolean) {
  return (t: TFunction, project: Project) => [
    nameColumn<Workload>(t, project, kind),
    statusColumn<Workload>(t, statusOfWorkload),
    {
      key: 'replicas',
      title: t('project.words.ready'),
      text: replicas,
      cell: replicas,
    },
    {
      key: 'images',
      title: t('project.words.images'),
      text: images,
      cell: (each: Workload) => <span className="ks-break">{images(each)}</span>,
    },
    labelsColumn<Workload>(t),
    createdColumn<Workload>(t),
    ...(sortedByUpdate
      ? [
          {
            key: 'updated',
            title: t('project.words.updated'),
            sortKey: 'updateTime',
            isHidden: true,
            cell: (each: Workload) => latestUpdate(each),
          },
        ]
      : []),
  ];
}

function latestUpdate(each: Workload): string {
  const times = (each.status?.conditions ?? []).map(
    (one) => (one as { lastUpdateTime?: string }).lastUpdateTime ?? '',
  );
  return times.sort().at(-1) || '–';
}

const replicas = (each: Workload) => {
  const { ready, wanted } = replicasOf(each);
  return `${ready} / ${wanted}`;
};

const images = (each: Workload) =>
  (each.spec?.template.spec.containers ?? []).map((one) => one.image).join(', ');

function facts(each: Workload, t: TFunction) {
  const strategy = each.spec?.strategy?.type ?? each.spec?.updateStrategy?.type;
  return [
    { term: t('project.words.ready'), value: replicas(each) },
    { term: t('project.words.images'), value: images(each) },
    { term: t('project.words.strategy'), value: strategy ?? '–' },
    { term: t('project.words.selector'), value: <Labels of={each.spec?.selector?.matchLabels} /> },
    {
      term: t('project.kinds.serviceaccounts.one'),
      value: each.spec?.template.spec.serviceAccountName ?? 'default',
    },
  ];
}

function example(kind: 'Deployment' | 'StatefulSet' | 'DaemonSet') {
  return (namespace: string) => {
    const labels = { app: 'my-app' };
    return {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name: 'my-app', namespace, labels },
      spec: {
        ...(kind === 'DaemonSet' ? {} : { replicas: 1 }),
        ...(kind === 'StatefulSet' ? { serviceName: 'my-app' } : {}),
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'my-app', image: '' }] },
        },
      },
    };
  };
}

const common = {
  creatable: true,
  statusOf: statusOfWorkload,
  statuses: [...FILTERED],
  facts,
  templateOf: (each: Workload) => each.spec?.template,
  selectorOf: (each: Workload) => each.spec?.selector,
  tabs: ['pods', 'revisions', 'environment', 'logs', 'events', 'yaml'],
} satisfies Partial<ProjectKind<Workload>>;

export const deployments = projectKind<Workload>({
  ...common,
  name: 'deployments',
  ref: CLUSTER_KINDS.deployments,
  permission: 'deployments',
  columns: columns('deployments', true),
  actions: ['scale', 'restart', 'pause'],
  example: example('Deployment'),
});

export const statefulsets = projectKind<Workload>({
  ...common,
  name: 'statefulsets',
  ref: CLUSTER_KINDS.statefulsets,
  permission: 'statefulsets',
  columns: columns('statefulsets', false),
  actions: ['scale', 'restart'],
  example: example('StatefulSet'),
});

export const daemonsets = projectKind<Workload>({
  ...common,
  name: 'daemonsets',
  ref: CLUSTER_KINDS.daemonsets,
  permission: 'daemonsets',
  columns: columns('daemonsets', false),
  actions: ['restart'],
  example: example('DaemonSet'),
});
