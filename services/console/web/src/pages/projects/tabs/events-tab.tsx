/** What the cluster tells of an object, the latest first. */
import { Label } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { get } from '@/api/client';
import { CLUSTER_KINDS, clusterPath } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import { Problem } from '@/app/problem';
import { PageSkeleton } from '@/app/shell';
import { Age } from '@/app/time';
import { PlainTable } from '@/templates/plain-table';
import { lastSeen, latestFirst } from '../events';
import type { KubeEvent } from '../objects';

const LOOK_AGAIN_MS = 5_000;

export function EventsTab({ object }: { object: KubeObject }) {
  const { t } = useTranslation();
  const { uid = '', namespace = '' } = object.metadata;
  const path = `${clusterPath(CLUSTER_KINDS.events, namespace)}?fieldSelector=${encodeURIComponent(`involvedObject.uid=${uid}`)}&limit=500`;
  const { data, error, isPending } = useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => get<{ items: KubeEvent[] }>(path, signal),
    refetchInterval: LOOK_AGAIN_MS,
  });
  if (isPending) return <PageSkeleton />;
  if (error) return <Problem error={error} />;
  return <EventsTable events={latestFirst(data.items)} empty={t('project.events.none')} />;
}

export function EventsTable({ events, empty }: { events: KubeEvent[]; empty: string }) {
  const { t } = useTranslation();
  return (
    <PlainTable
      label={t('project.tabs.events')}
      items={events}
      rowKey={(each) => each.metadata.uid ?? each.metadata.name}
      empty={empty}
      columns={[
        {
          title: t('words.type'),
          width: 10,
          cell: (each) => (
            <Label isCompact status={each.type === 'Warning' ? 'warning' : undefined} color="grey">
              {each.type ?? 'Normal'}
            </Label>
          ),
        },
        { title: t('words.reason'), cell: (each) => each.reason ?? '–', width: 15 },
        { title: t('words.message'), cell: (each) => <span className="ks-break">{each.message ?? ''}</span> },
        {
          title: t('project.events.count'),
          cell: (each) => each.series?.count ?? each.count ?? 1,
          width: 10,
        },
        { title: t('project.events.last'), cell: (each) => <Age of={lastSeen(each)} />, width: 15 },
      ]}
    />
  );
}
