import { Label } from '@patternfly/react-core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { del, post } from '@/api/client';
import { aliasOf, type KubeObject } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { refresh, useList } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { notify } from '@/app/notices';
import { useWorkspaceRights } from '@/app/permissions';
import { createdColumn } from '@/templates/columns';
import { DeleteDialog } from '@/templates/delete-dialog';
import { FormDialog } from '@/templates/form-dialog';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import type { Column } from '@/templates/list-table';
import { isName } from '@/templates/names';
import { metadataOf, NamingFields, useNaming } from '@/templates/naming';

type Namespace = KubeObject<object, { phase?: string }>;

const DEFAULTS = { sort: 'createTime', descending: true };

export function WorkspaceProjects() {
  const { ws } = useParams({ strict: false }) as { ws: string };
  const { t } = useTranslation();
  const rights = useWorkspaceRights(ws);
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState('');
  const path = `${TENANT}/workspaces/${ws}/namespaces`;
  const view = useListView(DEFAULTS);
  const list = useList<Namespace>(path, toQuery(view));
  const columns: Column<Namespace>[] = [
    {
      key: 'name',
      title: t('words.name'),
      sortKey: 'name',
      width: 35,
      text: (each) => each.metadata.name,
      cell: (each) => (
        <>
          <RouterLink to={`/workspaces/${ws}/projects/${each.metadata.name}`}>
            {each.metadata.name}
          </RouterLink>
          {aliasOf(each) && <div className="ks-subtle">{aliasOf(each)}</div>}
        </>
      ),
    },
    { key: 'status', title: t('words.status'), cell: (each) => <Phase of={each} /> },
    {
      key: 'creator',
      title: t('words.creator'),
      cell: (each) => each.metadata.annotations?.['kubesphere.io/creator'] ?? '–',
    },
    createdColumn(t),
  ];
  return (
    <>
      <ListPage
        id="workspace-projects"
        title={t('words.projects')}
        view={view}
        list={list}
        columns={columns}
        rowKey={(each) => each.metadata.uid ?? each.metadata.name}
        nameOf={(each) => each.metadata.name}
        primary={
          rights.may('projects', 'create')
            ? { label: t('workspace.projects.create'), onClick: () => setCreating(true) }
            : undefined
        }
        actions={(each) =>
          rights.may('projects', 'delete')
            ? [{ label: t('actions.delete'), isDanger: true, onClick: () => setDeleting(each.metadata.name) }]
            : []
        }
        empty={{ title: t('workspace.projects.emptyTitle'), body: t('workspace.projects.emptyBody') }}
      />
      {creating && <CreateProject workspace={ws} onClose={() => setCreating(false)} />}
      {deleting && (
        <DeleteDialog
          name={deleting}
          goesAlong={[t('workspace.projects.deletes')]}
          mustType
          run={async () => {
            await del(`${path}/${deleting}`);
            await refresh(path);
          }}
          onClose={() => setDeleting('')}
        />
      )}
    </>
  );
}

function Phase({ of }: { of: Namespace }) {
  const { t } = useTranslation();
  return of.metadata.deletionTimestamp ? (
    <Label color="orange" isCompact>
      {t('status.terminating')}
    </Label>
  ) : (
    <Label color="green" isCompact>
      {t('status.active')}
    </Label>
  );
}

function CreateProject({ workspace, onClose }: { workspace: string; onClose: () => void }) {
  const { t } = useTranslation();
  const [naming, setNaming] = useNaming();
  const { name } = naming;
  const run = async () => {
    const path = `${TENANT}/workspaces/${workspace}/namespaces`;
    await post(path, { metadata: metadataOf(naming) });
    notify('success', t('notices.created', { name }));
    await refresh(path, `${TENANT}/namespaces`);
  };
  return (
    <FormDialog
      title={t('workspace.projects.create')}
      about={t('workspace.projects.emptyBody')}
      submit={t('actions.create')}
      isValid={isName(name)}
      run={run}
      onClose={onClose}
    >
      <NamingFields id="project" naming={naming} onChange={setNaming} />
    </FormDialog>
  );
}
