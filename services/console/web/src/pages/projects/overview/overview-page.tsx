/** A project at a glance: what needs attention first, then what it uses and holds. */
import {
  Alert,
  Card,
  CardBody,
  CardTitle,
  Content,
  Grid,
  GridItem,
  PageSection,
  Title,
} from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { aliasOf, descriptionOf, type KubeObject } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { useList } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { Problem } from '@/app/problem';
import { Age } from '@/app/time';
import { PlainTable } from '@/templates/plain-table';
import { useProject } from '../place';
import { shareOf } from '../quotas/quantity';
import { UsageBars } from '../quotas/usage-bars';
import { useQuotas } from '../quotas/use-quotas';
import { StatusLabel } from '../status-label';
import { Counts } from './counts';
import { type Trouble, useTroubles } from './troubles';
import { WarningEvents } from './warning-events';

const SHOWN = 12;

export function ProjectOverviewPage() {
  const { t } = useTranslation();
  const project = useProject();
  const { namespace, workspace } = project;
  const projects = useList<KubeObject>(`${TENANT}/workspaces/${encodeURIComponent(workspace)}/namespaces`, {
    conditions: { 'name=': namespace },
    limit: 1,
  });
  const quotas = useQuotas(namespace);
  if (projects.error?.status === 403 || projects.error?.status === 404)
    return <Problem error={projects.error} />;
  const own = projects.items[0];
  return (
    <>
      <PageSection hasBodyWrapper={false} className="ks-heading">
        <Title headingLevel="h1">{(own && aliasOf(own)) || namespace}</Title>
        <Content component="p">
          {(own && descriptionOf(own)) || t('project.overview.about', { workspace })}{' '}
          {own && (
            <span className="ks-subtle">
              {t('words.created')} <Age of={own.metadata.creationTimestamp} />
            </span>
          )}
        </Content>
      </PageSection>
      <PageSection hasBodyWrapper={false} isFilled>
        <Grid hasGutter>
          <GridItem span={12}>
            <Attention full={fullQuotas(quotas.data?.data.hard, quotas.data?.data.used)} />
          </GridItem>
          <GridItem lg={7}>
            <Counts used={quotas.data?.data.used} />
          </GridItem>
          <GridItem lg={5}>
            <Card isFullHeight>
              <CardTitle component="h2">
                <RouterLink to={`${project.base}/quotas`}>{t('project.quotas.title')}</RouterLink>
              </CardTitle>
              <CardBody>
                {quotas.error && <p className="ks-subtle">{quotas.error.message}</p>}
                {quotas.data && <UsageBars quotas={quotas.data} />}
              </CardBody>
            </Card>
          </GridItem>
          <GridItem span={12}>
            <WarningEvents />
          </GridItem>
        </Grid>
      </PageSection>
    </>
  );
}

function fullQuotas(hard: Record<string, string> = {}, used: Record<string, string> = {}): string[] {
  return Object.entries(hard)
    .filter(([name, limit]) => shareOf(used[name] ?? '0', limit) >= 1)
    .map(([name, limit]) => `${name} (${used[name] ?? '0'} / ${limit})`);
}

function Attention({ full }: { full: string[] }) {
  const { t } = useTranslation();
  const project = useProject();
  const { troubles, count, isLoading, error } = useTroubles(project);
  if (error && troubles.length === 0)
    return (
      <Alert isInline variant="warning" title={t('project.overview.notKnown')}>
        {error}
      </Alert>
    );
  if (isLoading) return <Alert isInline variant="info" title={t('project.overview.looking')} />;
  if (troubles.length === 0 && full.length === 0) {
    return <Alert isInline variant="success" title={t('project.overview.allWell')} />;
  }
  return (
    <Card>
      <CardTitle component="h2">{t('project.overview.attention', { count: count + full.length })}</CardTitle>
      <CardBody>
        {full.map((each) => (
          <Alert
            key={each}
            isInline
            isPlain
            variant="warning"
            title={t('project.overview.full', { what: each })}
          />
        ))}
        {troubles.length > 0 && (
          <PlainTable<Trouble>
            label={t('project.overview.attention', { count })}
            items={troubles.slice(0, SHOWN)}
            rowKey={(each) => `${each.kind}/${each.name}`}
            empty=""
            columns={[
              {
                title: t('words.name'),
                width: 30,
                cell: (each) => (
                  <>
                    <RouterLink to={project.objectPath(each.kind, each.name)}>{each.name}</RouterLink>
                    <div className="ks-subtle">{t(`project.kinds.${each.kind}.one`)}</div>
                  </>
                ),
              },
              {
                title: t('words.status'),
                width: 15,
                cell: (each) => <StatusLabel status={{ ...each.status, reason: '' }} />,
              },
              {
                title: t('words.reason'),
                cell: (each) => <span className="ks-break">{each.status.reason || '–'}</span>,
              },
              { title: t('words.age'), width: 15, cell: (each) => <Age of={each.since} /> },
            ]}
          />
        )}
        {count > SHOWN && <p className="ks-subtle">{t('project.more', { count: count - SHOWN })}</p>}
      </CardBody>
    </Card>
  );
}
