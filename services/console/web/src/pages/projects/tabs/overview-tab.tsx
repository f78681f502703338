/** What is wrong first, then what is to be known. */
import { Card, CardBody, CardTitle, Grid, GridItem } from '@patternfly/react-core';
import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Condition, KubeObject } from '@/api/objects';
import { RouterLink } from '@/app/link';
import { Age } from '@/app/time';
import { Facts, Labels } from '@/templates/facts';
import { PlainTable } from '@/templates/plain-table';
import { labelTexts } from '../columns';
import type { ProjectKind } from '../kind';
import type { Pod } from '../objects';
import { type KindName, type Project, useProject } from '../place';
import { needsAttention, statusOfPod } from '../status';
import { PodWhy } from '../why/pod-why';
import { WorkloadWhy } from '../why/workload-why';
import { ContainersTable } from './containers-table';

export function OverviewTab({ kind, object }: { kind: ProjectKind; object: KubeObject }) {
  const { t } = useTranslation();
  const project = useProject();
  const isPod = kind.name === 'pods';
  const conditions = (object.status as { conditions?: Condition[] } | undefined)?.conditions ?? [];
  const isWorkload =
    kind.tabs.includes('pods') && kind.statusOf !== undefined && kind.selectorOf !== undefined;
  return (
    <Grid hasGutter>
      {isPod && isTroubled(object as Pod) && (
        <GridItem span={12}>
          <PodWhy pod={object.metadata.name} />
        </GridItem>
      )}
      {isWorkload && (
        <GridItem span={12}>
          <WorkloadWhy kind={kind} object={object} />
        </GridItem>
      )}
      <GridItem lg={7}>
        <Facts
          title={t('project.overview.details')}
          facts={kind.facts(object, t, project).map(({ term, value }) => [term, value])}
        />
      </GridItem>
      <GridItem lg={5}>
        <Facts title={t('project.overview.belonging')} facts={belonging(object, t, project)} />
      </GridItem>
      {isPod && (
        <GridItem span={12}>
          <Card>
            <CardTitle component="h2">{t('project.words.containers')}</CardTitle>
            <CardBody>
              <ContainersTable pod={object as Pod} />
            </CardBody>
          </Card>
        </GridItem>
      )}
      {conditions.length > 0 && (
        <GridItem span={12}>
          <Card>
            <CardTitle component="h2">{t('project.words.conditions')}</CardTitle>
            <CardBody>
              <PlainTable
                label={t('project.words.conditions')}
                items={conditions}
                rowKey={(each) => each.type}
                empty="–"
                columns={[
                  { title: t('words.type'), cell: (each) => each.type, width: 20 },
                  { title: t('words.status'), cell: (each) => each.status, width: 10 },
                  { title: t('words.reason'), cell: (each) => each.reason ?? '–', width: 20 },
                  { title: t('words.message'), cell: (each) => each.message ?? '–' },
                  {
                    title: t('project.words.since'),
                    cell: (each) => <Age of={each.lastTransitionTime} />,
                    width: 15,
                  },
                ]}
              />
            </CardBody>
          </Card>
        </GridItem>
      )}
    </Grid>
  );
}

function isTroubled(pod: Pod): boolean {
  const status = statusOfPod(pod);
  return needsAttention(status) || status.key === 'pending';
}

const OWNERS: Record<string, KindName> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
  Job: 'jobs',
  CronJob: 'cronjobs',
};

function belonging(object: KubeObject, t: TFunction, project: Project): [string, ReactNode][] {
  const owners = (object.metadata.ownerReferences ?? []).map((owner) => {
    const [kind, name] = ownerOf(owner.kind, owner.name, object.metadata.labels);
    const known = OWNERS[kind];
    return (
      <div key={owner.uid}>
        {kind} {known ? <RouterLink to={project.objectPath(known, name)}>{name}</RouterLink> : name}
      </div>
    );
  });
  const annotations = labelTexts(object.metadata.annotations)
    .filter((each) => !each.startsWith('kubectl.kubernetes.io/last'))
    .slice(0, 6);
  const noted = <span className="ks-break">{annotations.join(' · ')}</span>;
  return [
    [t('words.project'), object.metadata.namespace],
    [t('project.words.owner'), owners.length > 0 ? owners : '–'],
    [t('words.labels'), <Labels key="labels" of={object.metadata.labels} />],
    [t('words.annotations'), annotations.length > 0 ? noted : '–'],
  ];
}

/** A replica set is a deployment's own affair: its name is that of the deployment and a hash. */
function ownerOf(kind: string, name: string, labels: Record<string, string> | undefined): [string, string] {
  const hash = labels?.['pod-template-hash'];
  return kind === 'ReplicaSet' && hash && name.endsWith(`-${hash}`)
    ? ['Deployment', name.slice(0, -hash.length - 1)]
    : [kind, name];
}
