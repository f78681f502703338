/** The roles of a project, and what each of them allows. */
import { Button, Label, LabelGroup, Modal, ModalBody, ModalHeader } from '@patternfly/react-core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Permission } from '@/api/client';
import { CLUSTER_KINDS, clusterPath, removeObject } from '@/api/cluster';
import { descriptionOf, type KubeObject } from '@/api/objects';
import { IAM } from '@/api/paths';
import { refresh, useGet, useList } from '@/api/queries';
import { useProjectRights } from '@/app/permissions';
import { Problem } from '@/app/problem';
import { PageSkeleton } from '@/app/shell';
import { Age } from '@/app/time';
import { DeleteDialog } from '@/templates/delete-dialog';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import { PlainTable } from '@/templates/plain-table';
import { ManifestDialog } from './manifest-dialog';
import { useProject } from './place';
import { type Denied, RefusalNotice } from './why/refusal';

export type Role = KubeObject & { rules?: { verbs: string[]; apiGroups?: string[]; resources?: string[] }[] };

/** Made by the platform for each project, and mended by it. */
const FIXED = ['admin', 'operator', 'viewer'];

/** What the page offers, and the verb that it takes. */
const DOING = [
  ['create', 'create'],
  ['edit', 'patch'],
  ['delete', 'delete'],
] as const;

export function RolesPage() {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const view = useListView();
  const rights = useProjectRights(namespace);
  const path = `${IAM}/namespaces/${encodeURIComponent(namespace)}/roles`;
  const list = useList<Role>(path, toQuery(view));
  const [shown, setShown] = useState('');
  const [edited, setEdited] = useState<object | null>(null);
  const [removing, setRemoving] = useState('');
  const denied: Denied[] = DOING.filter(([action]) => !rights.isLoading && !rights.may('roles', action)).map(
    ([action, verb]) => ({
      label: t(`project.roles.doing.${action}`),
      question: { verb, group: 'rbac.authorization.k8s.io', resource: 'roles', namespace },
    }),
  );
  return (
    <>
      <ListPage
        id="project.roles"
        title={t('words.roles')}
        about={t('project.roles.about')}
        view={view}
        list={list}
        rowKey={(each) => each.metadata.uid ?? each.metadata.name}
        nameOf={(each) => each.metadata.name}
        columns={[
          {
            key: 'name',
            title: t('words.name'),
            width: 20,
            text: (each) => each.metadata.name,
            cell: (each) => (
              <Button variant="link" isInline translate="no" onClick={() => setShown(each.metadata.name)}>
                {each.metadata.name}
              </Button>
            ),
          },
          { key: 'description', title: t('words.description'), cell: (each) => descriptionOf(each) || '–' },
          {
            key: 'created',
            title: t('words.created'),
            cell: (each) => <Age of={each.metadata.creationTimestamp} />,
            width: 15,
          },
        ]}
        primary={
          rights.may('roles', 'create')
            ? { label: t('project.roles.create'), onClick: () => setEdited(newRole(namespace)) }
            : undefined
        }
        actions={(each) => [
          ...(rights.may('roles', 'edit') && !FIXED.includes(each.metadata.name)
            ? [{ label: t('actions.edit'), onClick: () => setEdited(editedRole(each)) }]
            : []),
          ...(rights.may('roles', 'delete') && !FIXED.includes(each.metadata.name)
            ? [{ label: t('actions.delete'), isDanger: true, onClick: () => setRemoving(each.metadata.name) }]
            : []),
        ]}
        empty={{ title: t('project.roles.none'), body: t('project.roles.about') }}
        notice={<RefusalNotice denied={denied} />}
      />
      {shown && (
        <RoleDialog path={`${path}/${encodeURIComponent(shown)}`} name={shown} onClose={() => setShown('')} />
      )}
      {removing && (
        <DeleteDialog
          name={removing}
          goesAlong={[t('project.roles.removeAbout')]}
          run={async () => {
            await removeObject(clusterPath(CLUSTER_KINDS.roles, namespace, removing));
            await refresh(path);
          }}
          onClose={() => setRemoving('')}
        />
      )}
      {edited && (
        <ManifestDialog
          title={t('words.role')}
          object={edited}
          onClose={() => {
            setEdited(null);
            void refresh(path);
          }}
        />
      )}
    </>
  );
}

function RoleDialog({ path, name, onClose }: { path: string; name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const rules = useGet<Permission[]>(`${path}/rules`);
  const users = useGet<{ username: string }[]>(`${path}/users`);
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="role-title">
      <ModalHeader title={t('project.roles.allows', { name })} labelId="role-title" />
      <ModalBody>
        {users.data && users.data.length > 0 && (
          <LabelGroup categoryName={t('project.roles.heldBy')} numLabels={10}>
            {users.data.map((each) => (
              <Label key={each.username} isCompact>
                {each.username}
              </Label>
            ))}
          </LabelGroup>
        )}
        {rules.error && <Problem error={rules.error} />}
        {rules.isPending && <PageSkeleton />}
        {rules.data && (
          <PlainTable
            label={t('project.roles.allows', { name })}
            items={rules.data}
            rowKey={(each) => each.name}
            empty={t('project.roles.nothing')}
            columns={[
              { title: t('project.roles.on'), cell: (each) => each.name, width: 30 },
              { title: t('project.roles.actions'), cell: (each) => each.actions.join(', ') },
            ]}
          />
        )}
      </ModalBody>
    </Modal>
  );
}

function newRole(namespace: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'my-role', namespace, annotations: { 'kubesphere.io/description': '' } },
    rules: [
      {
        apiGroups: ['apps', 'extensions', 'resources.kubesphere.io'],
        resources: ['deployments', 'deployments/scale'],
        verbs: ['get', 'list'],
      },
      { apiGroups: [''], resources: ['pods', 'pods/*'], verbs: ['get', 'list'] },
    ],
  };
}

function editedRole(role: Role): object {
  const { name, namespace, annotations } = role.metadata;
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name, namespace, annotations },
    rules: role.rules,
  };
}
