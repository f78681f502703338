import { CLUSTER_KINDS } from '@/api/cluster';
import { createdColumn } from '@/templates/columns';
import { labelsColumn, nameColumn, statusColumn } from '../columns';
import { projectKind } from '../kind';
import type { Claim } from '../objects';
import { statusOfClaim } from '../status';

const size = (each: Claim) =>
  each.status?.capacity?.storage ?? each.spec?.resources?.requests?.storage ?? '–';
const modes = (each: Claim) => (each.spec?.accessModes ?? []).join(', ') || '–';

export const persistentvolumeclaims = projectKind<Claim>({
  name: 'persistentvolumeclaims',
  ref: CLUSTER_KINDS.persistentvolumeclaims,
  permission: 'volumes',
  creatable: true,
  statusOf: statusOfClaim,
  statuses: ['bound', 'pending', 'lost'],
  columns: (t, project) => [
    nameColumn(t, project, 'persistentvolumeclaims'),
    statusColumn(t, statusOfClaim),
    { key: 'size', title: t('project.words.size'), text: size, cell: size },
    {
      key: 'class',
      title: t('project.words.storageClass'),
      cell: (each) => each.spec?.storageClassName ?? '–',
    },
    { key: 'modes', title: t('project.words.accessModes'), text: modes, cell: modes },
    {
      key: 'inUse',
      title: t('project.words.inUse'),
      cell: (each) =>
        each.metadata.annotations?.['kubesphere.io/in-use'] === 'true' ? t('status.yes') : t('status.no'),
    },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [
    { term: t('project.words.size'), value: size(each) },
    { term: t('project.words.storageClass'), value: each.spec?.storageClassName ?? '–' },
    { term: t('project.words.accessModes'), value: modes(each) },
    { term: t('project.words.volume'), value: each.spec?.volumeName ?? '–' },
  ],
  tabs: ['pods', 'events', 'yaml'],
  actions: [],
  example: (namespace) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'my-volume', namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }),
});
