/** What the cluster has warned of in a project lately. */
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { get } from '@/api/client';
import { CLUSTER_KINDS, clusterPath } from '@/api/cluster';
import { latestFirst } from '../events';
import type { KubeEvent } from '../objects';
import { useProject } from '../place';
import { EventsTable } from '../tabs/events-tab';

const LOOK_AGAIN_MS = 15_000;
const SHOWN = 10;

export function WarningEvents() {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const path = `${clusterPath(CLUSTER_KINDS.events, namespace)}?fieldSelector=type%3DWarning&limit=200`;
  const { data } = useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => get<{ items: KubeEvent[] }>(path, signal),
    refetchInterval: LOOK_AGAIN_MS,
    retry: false,
  });
  if (!data || data.items.length === 0) return null;
  return (
    <Card>
      <CardTitle component="h2">{t('project.overview.warnings')}</CardTitle>
      <CardBody>
        <EventsTable events={latestFirst(data.items).slice(0, SHOWN)} empty="" />
      </CardBody>
    </Card>
  );
}
