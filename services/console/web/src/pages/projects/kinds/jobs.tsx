/** Jobs, and what starts them by the clock. */
import { CLUSTER_KINDS } from '@/api/cluster';
import { Age } from '@/app/time';
import { createdColumn } from '@/templates/columns';
import { labelsColumn, nameColumn, statusColumn } from '../columns';
import { projectKind } from '../kind';
import type { CronJob, Job } from '../objects';
import { statusOfCronJob, statusOfJob } from '../status';

const done = (each: Job) => `${each.status?.succeeded ?? 0} / ${each.spec?.completions ?? 1}`;
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'my-job', image: '' }] } };

export const jobs = projectKind<Job>({
  name: 'jobs',
  ref: CLUSTER_KINDS.jobs,
  permission: 'jobs',
  creatable: true,
  statusOf: statusOfJob,
  statuses: ['running', 'complete', 'failed'],
  columns: (t, project) => [
    nameColumn(t, project, 'jobs'),
    statusColumn(t, statusOfJob),
    { key: 'done', title: t('project.words.completions'), text: done, cell: done },
    {
      key: 'ended',
      title: t('project.words.ended'),
      text: (each) => each.status?.completionTime ?? '',
      cell: (each) => <Age of={each.status?.completionTime} />,
    },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [
    { term: t('project.words.completions'), value: done(each) },
    { term: t('project.words.parallelism'), value: each.spec?.parallelism ?? 1 },
    { term: t('project.words.attempts'), value: each.spec?.backoffLimit ?? 6 },
    { term: t('project.words.started'), value: <Age of={each.status?.startTime} /> },
    { term: t('project.words.ended'), value: <Age of={each.status?.completionTime} /> },
  ],
  tabs: ['pods', 'environment', 'logs', 'events', 'yaml'],
  actions: ['rerun', 'suspend'],
  templateOf: (each) => each.spec?.template,
  selectorOf: (each) => each.spec?.selector,
  example: (namespace) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'my-job', namespace },
    spec: { template },
  }),
});

export const cronjobs = projectKind<CronJob>({
  name: 'cronjobs',
  ref: CLUSTER_KINDS.cronjobs,
  permission: 'cronjobs',
  creatable: true,
  statusOf: statusOfCronJob,
  statuses: ['running', 'paused'],
  columns: (t, project) => [
    nameColumn(t, project, 'cronjobs'),
    statusColumn(t, statusOfCronJob),
    {
      key: 'schedule',
      title: t('project.words.schedule'),
      cell: (each) => <code>{each.spec?.schedule}</code>,
      text: (each) => each.spec?.schedule ?? '',
    },
    {
      key: 'last',
      title: t('project.words.lastRun'),
      sortKey: 'lastScheduleTime',
      text: (each) => each.status?.lastScheduleTime ?? '',
      cell: (each) => <Age of={each.status?.lastScheduleTime} />,
    },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [
    { term: t('project.words.schedule'), value: <code>{each.spec?.schedule}</code> },
    { term: t('project.words.timeZone'), value: each.spec?.timeZone ?? '–' },
    { term: t('project.words.concurrency'), value: each.spec?.concurrencyPolicy ?? 'Allow' },
    { term: t('project.words.lastRun'), value: <Age of={each.status?.lastScheduleTime} /> },
    { term: t('project.words.lastSuccess'), value: <Age of={each.status?.lastSuccessfulTime} /> },
  ],
  tabs: ['jobs', 'environment', 'events', 'yaml'],
  actions: ['suspend'],
  templateOf: (each) => each.spec?.jobTemplate.spec.template,
  example: (namespace) => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'my-job', namespace },
    spec: { schedule: '0 4 * * *', jobTemplate: { spec: { template } } },
  }),
});
