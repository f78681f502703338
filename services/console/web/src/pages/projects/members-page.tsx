/** Who works in a project, and as what. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CLUSTER_KINDS, clusterPath, createObject, removeObject } from '@/api/cluster';
import type { Member, NamespaceUser } from '@/api/iam';
import { IAM } from '@/api/paths';
import { type ListState, refresh, useGet, useList } from '@/api/queries';
import { notify } from '@/app/notices';
import { useProjectRights } from '@/app/permissions';
import { useProfile } from '@/app/session';
import { Age } from '@/app/time';
import { DeleteDialog } from '@/templates/delete-dialog';
import { Choice } from '@/templates/field';
import { FormDialog } from '@/templates/form-dialog';
import { ListPage } from '@/templates/list-page';
import { useListView } from '@/templates/list-state';
import { pageOf } from './local-page';
import { useProject } from './place';
import type { Role } from './roles-page';
import { type Denied, RefusalNotice } from './why/refusal';

export function MembersPage() {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const { username } = useProfile();
  const view = useListView();
  const rights = useProjectRights(namespace);
  const path = `${IAM}/namespaces/${encodeURIComponent(namespace)}/users`;
  const found = useGet<NamespaceUser[]>(path);
  const [inviting, setInviting] = useState<NamespaceUser | 'new' | null>(null);
  const [removing, setRemoving] = useState<NamespaceUser | null>(null);
  const list: ListState<NamespaceUser> = {
    ...pageOf(found.data ?? [], view, (each) => `${each.username} ${each.email}`),
    isLoading: found.isPending,
    isFetching: found.isFetching,
    error: found.error,
    updatedAt: found.dataUpdatedAt,
    refetch: () => void found.refetch(),
  };
  const group = 'rbac.authorization.k8s.io';
  const denied: Denied[] = (['create', 'delete'] as const)
    .filter((verb) => !rights.isLoading && !rights.may('members', verb))
    .map((verb) => ({
      label: t(`project.members.doing.${verb}`),
      question: { verb, group, resource: 'rolebindings', namespace },
    }));
  return (
    <>
      <ListPage
        id="project.members"
        title={t('words.members')}
        about={t('project.members.about')}
        view={view}
        list={list}
        rowKey={(each) => each.username}
        nameOf={(each) => each.username}
        columns={[
          { key: 'name', title: t('words.user'), cell: (each) => each.username, width: 25 },
          { key: 'email', title: t('words.email'), cell: (each) => each.email || '–' },
          { key: 'role', title: t('words.role'), cell: (each) => each.role || '–' },
          { key: 'since', title: t('project.words.since'), cell: (each) => <Age of={each.role_bind_time} /> },
        ]}
        primary={
          rights.may('members', 'create')
            ? { label: t('project.members.invite'), onClick: () => setInviting('new') }
            : undefined
        }
        actions={(each) => {
          if (!isOwnBinding(each) || each.username === username) return [];
          return [
            ...(rights.may('members', 'edit')
              ? [{ label: t('project.members.change'), onClick: () => setInviting(each) }]
              : []),
            ...(rights.may('members', 'delete')
              ? [{ label: t('actions.remove'), isDanger: true, onClick: () => setRemoving(each) }]
              : []),
          ];
        }}
        empty={{ title: t('project.members.none'), body: t('project.members.about') }}
        notice={<RefusalNotice denied={denied} />}
      />
      {inviting && (
        <MemberDialog
          member={inviting === 'new' ? undefined : inviting}
          members={(found.data ?? []).map((each) => each.username)}
          onClose={() => {
            setInviting(null);
            void found.refetch();
          }}
        />
      )}
      {removing && (
        <DeleteDialog
          name={removing.username}
          goesAlong={[t('project.members.removeAbout')]}
          run={async () => {
            await removeObject(bindingPath(namespace, removing));
            await refresh(path);
          }}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}

interface MemberDialogProps {
  /** Whose role is to be another; nobody where somebody is to be invited. */
  member?: NamespaceUser;
  members: string[];
  onClose: () => void;
}

function MemberDialog({ member, members, onClose }: MemberDialogProps) {
  const { t } = useTranslation();
  const { workspace, namespace } = useProject();
  const people = useList<Member>(`${IAM}/workspaces/${encodeURIComponent(workspace)}/members`, {
    limit: 100,
  });
  const roles = useList<Role>(`${IAM}/namespaces/${encodeURIComponent(namespace)}/roles`, { limit: 100 });
  const [user, setUser] = useState(member?.username ?? '');
  const [role, setRole] = useState(member?.role ?? 'viewer');
  const candidates = people.items.filter((each) => !members.includes(each.username));
  const names = [...new Set([role, ...roles.items.map((each) => each.metadata.name)])];
  const run = async () => {
    await createObject(CLUSTER_KINDS.rolebindings, namespace, bindingFor(user, role, namespace));
    // The new role is there before the old one goes: nobody is locked out in between.
    if (member) await removeObject(bindingPath(namespace, member));
    notify('success', t('project.members.invited', { name: user, role }));
  };
  return (
    <FormDialog
      title={member ? t('project.members.changeOf', { name: user }) : t('project.members.invite')}
      about={member ? undefined : t('project.members.inviteBody')}
      submit={member ? t('actions.save') : t('project.members.submit')}
      isValid={user !== '' && role !== member?.role}
      run={run}
      onClose={onClose}
    >
      {!member && (
        <Choice
          id="invite-user"
          label={t('words.user')}
          value={user}
          onChange={setUser}
          options={[
            {
              value: '',
              label: t(candidates.length > 0 ? 'project.members.choose' : 'project.members.nobody'),
            },
            ...candidates.map(({ username, email }) => ({
              value: username,
              label: email ? `${username} (${email})` : username,
            })),
          ]}
        />
      )}
      <Choice
        id="invite-role"
        label={t('words.role')}
        value={role}
        onChange={setRole}
        options={names.map((name) => ({ value: name, label: name }))}
      />
    </FormDialog>
  );
}

function bindingPath(namespace: string, member: NamespaceUser): string {
  return clusterPath(CLUSTER_KINDS.rolebindings, namespace, member.role_binding ?? '');
}

/** `admin` and `viewer` are a controller's bindings, which follow the members of the workspace. */
function isOwnBinding({ role_binding }: NamespaceUser): boolean {
  return role_binding !== undefined && role_binding !== 'admin' && role_binding !== 'viewer';
}

function bindingFor(user: string, role: string, namespace: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: `${role}-${user}`, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
}
