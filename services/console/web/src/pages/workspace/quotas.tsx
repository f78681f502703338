/** What each project of a workspace may use, and uses. */
import { Skeleton } from '@patternfly/react-core';
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { KubeObject } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { useList } from '@/api/queries';
import { problemText } from '@/app/errors';
import { RouterLink } from '@/app/link';
import { UsageBars } from '@/pages/projects/quotas/usage-bars';
import { useQuotas } from '@/pages/projects/quotas/use-quotas';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';

export function WorkspaceQuotas() {
  const { ws } = useParams({ strict: false }) as { ws: string };
  const { t } = useTranslation();
  const view = useListView({ sort: 'name' });
  const list = useList<KubeObject>(`${TENANT}/workspaces/${ws}/namespaces`, toQuery(view));
  return (
    <ListPage
      id="workspace-quotas"
      title={t('workspace.quotas.title')}
      about={t('workspace.quotas.about')}
      view={view}
      list={list}
      rowKey={(each) => each.metadata.uid ?? each.metadata.name}
      nameOf={(each) => each.metadata.name}
      columns={[
        {
          key: 'name',
          title: t('words.project'),
          sortKey: 'name',
          width: 30,
          text: (each) => each.metadata.name,
          cell: (each) => (
            <RouterLink to={`/workspaces/${ws}/projects/${each.metadata.name}/quotas`}>
              {each.metadata.name}
            </RouterLink>
          ),
        },
        {
          key: 'used',
          title: t('project.quotas.used'),
          cell: (each) => <Usage namespace={each.metadata.name} />,
        },
      ]}
      empty={{ title: t('workspace.projects.emptyTitle'), body: t('workspace.projects.emptyBody') }}
    />
  );
}

function Usage({ namespace }: { namespace: string }) {
  const { t } = useTranslation();
  const { data, error } = useQuotas(namespace);
  if (error) return <span className="ks-subtle">{problemText(error)}</span>;
  if (!data) return <Skeleton />;
  const isLimited = Object.keys(data.data.hard ?? {}).length > 0;
  return isLimited ? (
    <UsageBars quotas={data} />
  ) : (
    <span className="ks-subtle">{t('workspace.quotas.none')}</span>
  );
}
