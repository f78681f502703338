import { CLUSTER_KINDS } from '@/api/cluster';
import { createdColumn } from '@/templates/columns';
import { labelsColumn, nameColumn, statusColumn } from '../columns';
import { projectKind } from '../kind';
import type { Pod } from '../objects';
import { restartsOf, statusOfPod } from '../status';

const ready = (each: Pod) => {
  const all = each.status?.containerStatuses ?? [];
  return `${all.filter((one) => one.ready).length} / ${each.spec?.containers.length ?? 0}`;
};

export const pods = projectKind<Pod>({
  name: 'pods',
  ref: CLUSTER_KINDS.pods,
  permission: 'pods',
  creatable: false,
  statusOf: statusOfPod,
  canBeAbnormal: true,
  columns: (t, project) => [
    nameColumn(t, project, 'pods'),
    statusColumn(t, statusOfPod),
    { key: 'ready', title: t('project.words.ready'), text: ready, cell: ready },
    {
      key: 'restarts',
      title: t('project.words.restarts'),
      text: (each) => String(restartsOf(each)),
      cell: restartsOf,
    },
    { key: 'node', title: t('project.words.node'), cell: (each) => each.spec?.nodeName ?? '–' },
    {
      key: 'address',
      title: t('project.words.address'),
      isHidden: true,
      cell: (each) => each.status?.podIP ?? '–',
    },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [
    { term: t('project.words.ready'), value: ready(each) },
    { term: t('project.words.restarts'), value: restartsOf(each) },
    { term: t('project.words.node'), value: each.spec?.nodeName ?? '–' },
    { term: t('project.words.address'), value: each.status?.podIP ?? '–' },
    { term: t('project.words.qos'), value: each.status?.qosClass ?? '–' },
    { term: t('project.kinds.serviceaccounts.one'), value: each.spec?.serviceAccountName ?? '–' },
  ],
  tabs: ['environment', 'logs', 'terminal', 'events', 'yaml'],
  actions: [],
  templateOf: (each) => (each.spec ? { spec: each.spec } : undefined),
  example: (namespace) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'my-pod', namespace },
    spec: { containers: [{ name: 'my-pod', image: '' }] },
  }),
});
