/** The jobs that a cron job has started. */
import { useTranslation } from 'react-i18next';
import { useLiveList } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import { RouterLink } from '@/app/link';
import { PageSkeleton } from '@/app/shell';
import { Age } from '@/app/time';
import { PlainTable } from '@/templates/plain-table';
import type { Job } from '../objects';
import { useProject } from '../place';
import { statusOfJob } from '../status';
import { StatusLabel } from '../status-label';

export function JobsTab({ object }: { object: KubeObject }) {
  const { t } = useTranslation();
  const project = useProject();
  const query = { orderBy: 'createTime', reverse: true, limit: 100 };
  const list = useLiveList<Job>('jobs', project.namespace, query);
  if (list.isLoading) return <PageSkeleton />;
  const own = list.items.filter((each) =>
    each.metadata.ownerReferences?.some((of) => of.uid === object.metadata.uid),
  );
  return (
    <PlainTable
      label={t('project.tabs.jobs')}
      items={own}
      rowKey={(each) => each.metadata.uid ?? each.metadata.name}
      empty={t('project.pods.noJobs')}
      columns={[
        {
          title: t('words.name'),
          cell: (each) => (
            <RouterLink to={project.objectPath('jobs', each.metadata.name)}>{each.metadata.name}</RouterLink>
          ),
        },
        { title: t('words.status'), cell: (each) => <StatusLabel status={statusOfJob(each)} withReason /> },
        { title: t('project.words.started'), cell: (each) => <Age of={each.status?.startTime} /> },
        { title: t('project.words.ended'), cell: (each) => <Age of={each.status?.completionTime} /> },
      ]}
    />
  );
}
