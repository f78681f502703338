import { Label } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { aliasOf, type KubeObject, WORKSPACE_LABEL } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { useList } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { createdColumn } from '@/templates/columns';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import type { Column } from '@/templates/list-table';

const DEFAULTS = { sort: 'name' };

const workspaceOf = (project: KubeObject) => project.metadata.labels?.[WORKSPACE_LABEL] ?? '';

export function ProjectsPage() {
  const { t } = useTranslation();
  const view = useListView(DEFAULTS);
  const list = useList<KubeObject>(`${TENANT}/namespaces`, toQuery(view));
  const columns: Column<KubeObject>[] = [
    {
      key: 'name',
      title: t('words.name'),
      sortKey: 'name',
      width: 35,
      text: (each) => each.metadata.name,
      cell: (each) => (
        <>
          {workspaceOf(each) ? (
            <RouterLink to={`/workspaces/${workspaceOf(each)}/projects/${each.metadata.name}`}>
              {each.metadata.name}
            </RouterLink>
          ) : (
            each.metadata.name
          )}
          {aliasOf(each) && <div className="ks-subtle">{aliasOf(each)}</div>}
        </>
      ),
    },
    {
      key: 'workspace',
      title: t('words.workspace'),
      text: workspaceOf,
      cell: (each) =>
        workspaceOf(each) ? (
          <RouterLink to={`/workspaces/${workspaceOf(each)}`}>{workspaceOf(each)}</RouterLink>
        ) : (
          <span className="ks-subtle">{t('platform.projects.noWorkspace')}</span>
        ),
    },
    {
      key: 'status',
      title: t('words.status'),
      cell: (each) => (
        <Label isCompact color={each.metadata.deletionTimestamp ? 'orange' : 'green'}>
          {each.metadata.deletionTimestamp ? t('status.terminating') : t('status.active')}
        </Label>
      ),
    },
    createdColumn(t),
  ];
  return (
    <ListPage
      id="projects"
      title={t('platform.projects.title')}
      about={t('platform.projects.about')}
      view={view}
      list={list}
      columns={columns}
      rowKey={(each) => each.metadata.uid ?? each.metadata.name}
      nameOf={(each) => each.metadata.name}
      empty={{ title: t('platform.projects.emptyTitle'), body: t('platform.projects.emptyBody') }}
    />
  );
}
