/** Who works in a project, and as what. */
import {
  Button,
  Form,
  FormGroup,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CLUSTER_KINDS, clusterPath, createObject, removeObject } from '@/api/cluster';
import type { Member, NamespaceUser } from '@/api/iam';
import { IAM } from '@/api/paths';
import { type ListState, refresh, useGet, useList } from '@/api/queries';
import { notify, notifyError } from '@/app/notices';
import { useProjectRights } from '@/app/permissions';
import { useProfile } from '@/app/session';
import { Age } from '@/app/time';
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
  const [isInviting, setInviting] = useState(false);
  const list: ListState<NamespaceUser> = {
    ...pageOf(found.data ?? [], view, (each) => `${each.username} ${each.email}`),
    isLoading: found.isPending,
    isFetching: found.isFetching,
    error: found.error,
    updatedAt: found.dataUpdatedAt,
    refetch: () => void found.refetch(),
  };
  const remove = async (member: NamespaceUser) => {
    try {
      await removeObject(clusterPath(CLUSTER_KINDS.rolebindings, namespace, member.role_binding ?? ''));
      notify('success', t('project.members.removed', { name: member.username }));
      await refresh(path);
    } catch (error) {
      notifyError(t('project.members.failed', { name: member.username }), error);
    }
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
            ? { label: t('project.members.invite'), onClick: () => setInviting(true) }
            : undefined
        }
        actions={(each) =>
          rights.may('members', 'delete') && isOwnBinding(each) && each.username !== username
            ? [{ label: t('actions.remove'), isDanger: true, onClick: () => void remove(each) }]
            : []
        }
        empty={{ title: t('project.members.none'), body: t('project.members.about') }}
        notice={<RefusalNotice denied={denied} />}
      />
      {isInviting && (
        <InviteDialog
          members={(found.data ?? []).map((each) => each.username)}
          onClose={() => {
            setInviting(false);
            void found.refetch();
          }}
        />
      )}
    </>
  );
}

function InviteDialog({ members, onClose }: { members: string[]; onClose: () => void }) {
  const { t } = useTranslation();
  const { workspace, namespace } = useProject();
  const people = useList<Member>(`${IAM}/workspaces/${encodeURIComponent(workspace)}/members`, {
    limit: 100,
  });
  const roles = useList<Role>(`${IAM}/namespaces/${encodeURIComponent(namespace)}/roles`, { limit: 100 });
  const [user, setUser] = useState('');
  const [role, setRole] = useState('viewer');
  const [isWorking, setWorking] = useState(false);
  const candidates = people.items.filter((each) => !members.includes(each.username));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setWorking(true);
    try {
      await createObject(CLUSTER_KINDS.rolebindings, namespace, bindingFor(user, role, namespace));
      notify('success', t('project.members.invited', { name: user, role }));
      await refresh(`${IAM}/namespaces/${encodeURIComponent(namespace)}/users`);
    } catch (error) {
      notifyError(t('project.members.failed', { name: user }), error);
    }
    onClose();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="invite-title">
      <ModalHeader
        title={t('project.members.invite')}
        description={t('project.members.inviteBody')}
        labelId="invite-title"
      />
      <ModalBody>
        <Form id="invite" onSubmit={(event) => void submit(event)}>
          <FormGroup label={t('words.user')} fieldId="invite-user">
            <FormSelect id="invite-user" value={user} onChange={(_, value) => setUser(value)}>
              <FormSelectOption
                value=""
                label={t(candidates.length > 0 ? 'project.members.choose' : 'project.members.nobody')}
                isPlaceholder
              />
              {candidates.map((each) => (
                <FormSelectOption
                  key={each.username}
                  value={each.username}
                  label={each.email ? `${each.username} (${each.email})` : each.username}
                />
              ))}
            </FormSelect>
          </FormGroup>
          <FormGroup label={t('words.role')} fieldId="invite-role">
            <FormSelect id="invite-role" value={role} onChange={(_, value) => setRole(value)}>
              {roles.items.map((each) => (
                <FormSelectOption
                  key={each.metadata.name}
                  value={each.metadata.name}
                  label={each.metadata.name}
                />
              ))}
            </FormSelect>
          </FormGroup>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="invite" isLoading={isWorking} isDisabled={isWorking || !user || !role}>
          {t('project.members.submit')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
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
