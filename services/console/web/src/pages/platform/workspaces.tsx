import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { aliasOf, descriptionOf, type KubeObject } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { useList } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { useMay } from '@/app/session';
import { createdColumn } from '@/templates/columns';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import type { Column } from '@/templates/list-table';
import { CreateWorkspace } from './workspace-form';

export type Workspace = KubeObject<{ manager?: string }>;

const DEFAULTS = { sort: 'createTime', descending: true };

export function WorkspacesPage() {
  const { t } = useTranslation();
  const may = useMay();
  const [creating, setCreating] = useState(false);
  const view = useListView(DEFAULTS);
  const list = useList<Workspace>(`${TENANT}/workspaces`, toQuery(view));
  const columns: Column<Workspace>[] = [
    {
      key: 'name',
      title: t('words.name'),
      sortKey: 'name',
      width: 30,
      text: (each) => each.metadata.name,
      cell: (each) => (
        <>
          <RouterLink to={`/workspaces/${each.metadata.name}`}>{each.metadata.name}</RouterLink>
          {aliasOf(each) && <div className="ks-subtle">{aliasOf(each)}</div>}
        </>
      ),
    },
    {
      key: 'description',
      title: t('words.description'),
      isHidden: true,
      cell: (each) => descriptionOf(each) || '–',
    },
    { key: 'manager', title: t('words.manager'), cell: (each) => each.spec?.manager ?? '–' },
    {
      key: 'projects',
      title: t('words.projects'),
      cell: (each) => each.metadata.annotations?.['kubesphere.io/namespace-count'] ?? '–',
    },
    {
      key: 'members',
      title: t('words.members'),
      cell: (each) => each.metadata.annotations?.['kubesphere.io/member-count'] ?? '–',
    },
    createdColumn(t),
  ];
  return (
    <>
      <ListPage
        id="workspaces"
        title={t('platform.workspaces.title')}
        about={t('platform.workspaces.about')}
        view={view}
        list={list}
        columns={columns}
        rowKey={(each) => each.metadata.uid ?? each.metadata.name}
        nameOf={(each) => each.metadata.name}
        primary={
          may('workspaces', 'create')
            ? { label: t('platform.workspaces.create'), onClick: () => setCreating(true) }
            : undefined
        }
        empty={{ title: t('platform.workspaces.emptyTitle'), body: t('platform.workspaces.emptyBody') }}
      />
      {creating && <CreateWorkspace onClose={() => setCreating(false)} />}
    </>
  );
}
