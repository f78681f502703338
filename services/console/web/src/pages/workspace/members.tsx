import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { del, post } from '@/api/client';
import type { Member } from '@/api/iam';
import { IAM } from '@/api/paths';
import { refresh, useList } from '@/api/queries';
import { notify } from '@/app/notices';
import { useWorkspaceRights } from '@/app/permissions';
import { Age } from '@/app/time';
import { DeleteDialog } from '@/templates/delete-dialog';
import { Choice, Field } from '@/templates/field';
import { FormDialog } from '@/templates/form-dialog';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import type { Column } from '@/templates/list-table';
import { useRoleNames } from './role-names';

const DEFAULTS = { filters: ['role'] };

export function WorkspaceMembers() {
  const { ws } = useParams({ strict: false }) as { ws: string };
  const { t } = useTranslation();
  const rights = useWorkspaceRights(ws);
  const roles = useRoleNames();
  const [inviting, setInviting] = useState<Member | 'new' | null>(null);
  const [removing, setRemoving] = useState('');
  const path = `${IAM}/workspaces/${ws}/members`;
  const view = useListView(DEFAULTS);
  const list = useList<Member>(path, toQuery(view, 'keyword='));
  const columns: Column<Member>[] = [
    {
      key: 'name',
      title: t('words.name'),
      text: (each) => each.username,
      cell: (each) => (
        <>
          {each.username}
          <div className="ks-subtle">{each.email}</div>
        </>
      ),
    },
    { key: 'role', title: t('words.role'), cell: (each) => roles.label(each.workspace_role) },
    {
      key: 'login',
      title: t('words.lastLogin'),
      text: (each) => each.last_login_time ?? '',
      cell: (each) => (each.last_login_time ? <Age of={each.last_login_time} /> : t('words.never')),
    },
  ];
  return (
    <>
      <ListPage
        id="workspace-members"
        title={t('words.members')}
        view={view}
        list={list}
        columns={columns}
        rowKey={(each) => each.username}
        nameOf={(each) => each.username}
        searchHint={t('platform.accounts.search')}
        filters={[{ key: 'role', label: t('words.role'), options: roles.options }]}
        primary={
          rights.may('members', 'create')
            ? { label: t('workspace.members.invite'), onClick: () => setInviting('new') }
            : undefined
        }
        actions={(each) => [
          ...(rights.may('members', 'edit')
            ? [{ label: t('workspace.members.change'), onClick: () => setInviting(each) }]
            : []),
          ...(rights.may('members', 'delete')
            ? [{ label: t('actions.remove'), isDanger: true, onClick: () => setRemoving(each.username) }]
            : []),
        ]}
        empty={{ title: t('workspace.members.emptyTitle'), body: t('workspace.members.emptyBody') }}
      />
      {inviting && (
        <Invite
          workspace={ws}
          member={inviting === 'new' ? undefined : inviting}
          onClose={() => setInviting(null)}
        />
      )}
      {removing && (
        <DeleteDialog
          name={removing}
          goesAlong={[t('workspace.members.removeAbout')]}
          run={async () => {
            await del(`${path}/${removing}`);
            await refresh(path);
          }}
          onClose={() => setRemoving('')}
        />
      )}
    </>
  );
}

function Invite({ workspace, member, onClose }: { workspace: string; member?: Member; onClose: () => void }) {
  const { t } = useTranslation();
  const { options } = useRoleNames();
  const [name, setName] = useState(member?.username ?? '');
  const [role, setRole] = useState(member?.workspace_role ?? 'workspace-regular');
  const path = `${IAM}/workspaces/${workspace}/members`;
  const run = async () => {
    await post(path, { username: name, workspace_role: role });
    notify('success', t(member ? 'workspace.members.changed' : 'workspace.members.invited', { name }));
    await refresh(path);
  };
  return (
    <FormDialog
      title={member ? t('workspace.members.change') : t('workspace.members.inviteTitle', { workspace })}
      about={member ? undefined : t('workspace.members.inviteAbout')}
      submit={member ? t('actions.save') : t('workspace.members.invite')}
      isValid={name !== ''}
      run={run}
      onClose={onClose}
    >
      <Field
        id="member-name"
        label={t('workspace.members.user')}
        value={name}
        onChange={setName}
        hint={t('workspace.members.userHint')}
        isRequired
        isDisabled={member !== undefined}
        autoFocus
      />
      <Choice
        id="member-role"
        label={t('workspace.members.role')}
        value={role}
        onChange={setRole}
        options={options}
      />
    </FormDialog>
  );
}
