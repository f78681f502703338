/** What workloads are configured with, and who they are. */
import { CLUSTER_KINDS } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import { createdColumn } from '@/templates/columns';
import { labelsColumn, nameColumn } from '../columns';
import { projectKind } from '../kind';
import type { ConfigMap, Secret, ServiceAccount } from '../objects';

const keysOf = (each: KubeObject & { data?: Record<string, string>; binaryData?: Record<string, string> }) =>
  [...Object.keys(each.data ?? {}), ...Object.keys(each.binaryData ?? {})].join(', ') || '–';
const pullSecrets = (each: ServiceAccount) =>
  (each.imagePullSecrets ?? []).map((one) => one.name).join(', ') || '–';

export const configmaps = projectKind<ConfigMap>({
  name: 'configmaps',
  ref: CLUSTER_KINDS.configmaps,
  permission: 'configmaps',
  creatable: true,
  columns: (t, project) => [
    nameColumn(t, project, 'configmaps'),
    {
      key: 'keys',
      title: t('project.words.keys'),
      text: keysOf,
      cell: (each) => <span className="ks-break">{keysOf(each)}</span>,
    },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [{ term: t('project.words.keys'), value: keysOf(each) }],
  tabs: ['data', 'yaml'],
  actions: [],
  example: (namespace) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'my-config', namespace },
    data: { key: 'value' },
  }),
});

export const secrets = projectKind<Secret>({
  name: 'secrets',
  ref: CLUSTER_KINDS.secrets,
  permission: 'secrets',
  creatable: true,
  columns: (t, project) => [
    nameColumn(t, project, 'secrets'),
    {
      key: 'type',
      title: t('words.type'),
      cell: (each) => <span className="ks-break">{each.type ?? '–'}</span>,
    },
    {
      key: 'keys',
      title: t('project.words.keys'),
      text: keysOf,
      cell: (each) => <span className="ks-break">{keysOf(each)}</span>,
    },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [
    { term: t('words.type'), value: each.type ?? '–' },
    { term: t('project.words.keys'), value: keysOf(each) },
  ],
  tabs: ['data', 'yaml'],
  actions: [],
  example: (namespace) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'my-secret', namespace },
    type: 'Opaque',
    stringData: { key: 'value' },
  }),
});

export const serviceaccounts = projectKind<ServiceAccount>({
  name: 'serviceaccounts',
  ref: CLUSTER_KINDS.serviceaccounts,
  permission: 'serviceaccounts',
  creatable: true,
  columns: (t, project) => [
    nameColumn(t, project, 'serviceaccounts'),
    { key: 'pull', title: t('project.words.pullSecrets'), text: pullSecrets, cell: pullSecrets },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [{ term: t('project.words.pullSecrets'), value: pullSecrets(each) }],
  tabs: ['events', 'yaml'],
  actions: [],
  example: (namespace) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'my-account', namespace },
  }),
});
