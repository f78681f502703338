/** What a project may use, and what its containers get who ask for nothing. */
import {
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  Content,
  Grid,
  GridItem,
  PageSection,
  Title,
} from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CLUSTER_KINDS, listObjects } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import { RESOURCES } from '@/api/paths';
import { refresh } from '@/api/queries';
import { Problem } from '@/app/problem';
import { PageSkeleton } from '@/app/shell';
import { PlainTable } from '@/templates/plain-table';
import { ManifestDialog } from '../manifest-dialog';
import { useProject } from '../place';
import { useExplanations } from '../why/explain';
import { RefusalNotice } from '../why/refusal';
import { UsageBars } from './usage-bars';
import { useQuotas } from './use-quotas';

type Quota = KubeObject<{ hard?: Record<string, string> }, { used?: Record<string, string> }>;
type Limit = Record<string, string> | undefined;
type LimitRange = KubeObject<{
  limits?: { type: string; max?: Limit; min?: Limit; default?: Limit; defaultRequest?: Limit }[];
}>;

const KINDS = ['resourcequotas', 'limitranges'] as const;

export function QuotasPage() {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const usage = useQuotas(namespace);
  const [edited, setEdited] = useState<object | null>(null);
  const questions = KINDS.map((resource) => ({ verb: 'patch', group: '', resource, namespace }));
  const explanations = useExplanations(questions);
  const lists = useQuery({
    queryKey: ['quotas and limits', namespace],
    queryFn: async () => ({
      quotas: (await listObjects<Quota>(CLUSTER_KINDS.resourcequotas, namespace)).items,
      limits: (await listObjects<LimitRange>(CLUSTER_KINDS.limitranges, namespace)).items,
    }),
  });
  if (lists.error) return <Problem error={lists.error} retry={() => void lists.refetch()} />;
  if (lists.isPending) return <PageSkeleton />;
  const may = (index: number) => explanations[index]?.allowed === true;
  const denied = KINDS.flatMap((resource, index) => {
    const question = questions[index];
    return question && explanations[index]?.allowed === false
      ? [{ label: t(`project.quotas.edit.${resource}`), question }]
      : [];
  });
  const button = (index: number, object: object) =>
    may(index) && (
      <Button variant="link" onClick={() => setEdited(object)}>
        {t('actions.edit')}
      </Button>
    );
  const quota = lists.data.quotas[0];
  const limit = lists.data.limits[0];
  const closed = () => {
    setEdited(null);
    void lists.refetch();
    void refresh(`${RESOURCES}/namespaces/${namespace}/quotas`);
  };
  return (
    <>
      <PageSection hasBodyWrapper={false} className="ks-heading">
        <Title headingLevel="h1">{t('project.quotas.title')}</Title>
        <Content component="p">{t('project.quotas.about')}</Content>
        <RefusalNotice denied={denied} />
      </PageSection>
      <PageSection hasBodyWrapper={false} isFilled>
        <Grid hasGutter>
          <GridItem lg={6}>
            <Card isFullHeight>
              <CardHeader
                actions={{
                  hasNoOffset: true,
                  actions: button(
                    0,
                    quota ? withoutStatus(quota, 'ResourceQuota', 'v1') : newQuota(namespace),
                  ),
                }}
              >
                <CardTitle component="h2">{t('project.quotas.used')}</CardTitle>
              </CardHeader>
              <CardBody>{usage.data ? <UsageBars quotas={usage.data} /> : <PageSkeleton />}</CardBody>
            </Card>
          </GridItem>
          <GridItem lg={6}>
            <Card isFullHeight>
              <CardHeader
                actions={{
                  hasNoOffset: true,
                  actions: button(1, limit ? withoutStatus(limit, 'LimitRange', 'v1') : newLimits(namespace)),
                }}
              >
                <CardTitle component="h2">{t('project.quotas.limits')}</CardTitle>
              </CardHeader>
              <CardBody>
                <PlainTable
                  label={t('project.quotas.limits')}
                  items={lists.data.limits.flatMap(rowsOf)}
                  rowKey={(each) => each.key}
                  empty={t('project.quotas.noLimits')}
                  columns={[
                    { title: t('words.type'), cell: (each) => each.type },
                    { title: t('project.quotas.resource'), cell: (each) => each.resource },
                    { title: t('project.quotas.request'), cell: (each) => each.request },
                    { title: t('project.quotas.limit'), cell: (each) => each.limit },
                    { title: t('project.quotas.range'), cell: (each) => each.range },
                  ]}
                />
              </CardBody>
            </Card>
          </GridItem>
        </Grid>
      </PageSection>
      {edited && <ManifestDialog title={t('project.quotas.title')} object={edited} onClose={closed} />}
    </>
  );
}

function rowsOf(range: LimitRange) {
  return (range.spec?.limits ?? []).flatMap((each) => {
    const parts = [each.default, each.defaultRequest, each.max, each.min];
    const resources = [...new Set(parts.flatMap((part) => Object.keys(part ?? {})))];
    return resources.map((resource) => ({
      key: `${range.metadata.name}/${each.type}/${resource}`,
      type: each.type,
      resource,
      request: each.defaultRequest?.[resource] ?? '–',
      limit: each.default?.[resource] ?? '–',
      range: `${each.min?.[resource] ?? '0'} … ${each.max?.[resource] ?? '∞'}`,
    }));
  });
}

function withoutStatus(object: KubeObject, kind: string, apiVersion: string): object {
  const { name, namespace, labels } = object.metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, ...(labels ? { labels } : {}) },
    spec: object.spec,
  };
}

function newQuota(namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: namespace, namespace },
    spec: {
      hard: {
        'requests.cpu': '2',
        'limits.cpu': '4',
        'requests.memory': '4Gi',
        'limits.memory': '8Gi',
        pods: '50',
      },
    },
  };
}

function newLimits(namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: namespace, namespace },
    spec: {
      limits: [
        {
          type: 'Container',
          default: { cpu: '500m', memory: '512Mi' },
          defaultRequest: { cpu: '50m', memory: '64Mi' },
        },
      ],
    },
  };
}
