import { Alert, Card, CardBody, CardTitle, Grid, GridItem, Label, LabelGroup } from '@patternfly/react-core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { del, type Permission } from '@/api/client';
import type { Member } from '@/api/iam';
import { aliasOf, type Condition, descriptionOf, type KubeObject } from '@/api/objects';
import { IAM, TENANT, WORKSPACES } from '@/api/paths';
import { refresh, useGet, useList } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { useWorkspaceRights } from '@/app/permissions';
import { Age } from '@/app/time';
import { DeleteDialog } from '@/templates/delete-dialog';
import { DetailPage } from '@/templates/detail-page';
import { Facts } from '@/templates/facts';
import { useRoleNames } from './role-names';

type Workspace = KubeObject<{ manager?: string }, { conditions?: Condition[] }>;

const SHOWN = 6;

export function WorkspaceOverview() {
  const { ws } = useParams({ strict: false }) as { ws: string };
  const { t } = useTranslation();
  const navigate = useNavigate();
  const rights = useWorkspaceRights(ws);
  const [deleting, setDeleting] = useState(false);
  const workspace = useGet<Workspace>(`${TENANT}/workspaces/${ws}`, { refetchInterval: 15_000 });
  const object = workspace.data;
  const remove = { label: t('workspace.overview.delete'), isDanger: true, onClick: () => setDeleting(true) };
  return (
    <>
      <DetailPage
        crumbs={[{ label: t('words.workspaces'), to: '/platform/workspaces' }]}
        title={(object && aliasOf(object)) || ws}
        subtitle={object && descriptionOf(object)}
        actions={rights.may('workspaces', 'delete') && ws !== 'system-workspace' ? [remove] : []}
        isLoading={workspace.isPending}
        error={workspace.error}
        retry={() => void workspace.refetch()}
        tabs={[
          { key: 'overview', title: t('words.overview'), body: () => <Body name={ws} workspace={object} /> },
        ]}
      />
      {deleting && (
        <DeleteDialog
          name={ws}
          mustType
          goesAlong={[t('platform.workspaces.deletesProjects'), t('platform.workspaces.deletesMembers')]}
          run={async () => {
            await del(`${WORKSPACES}/${ws}`);
            await refresh(`${TENANT}/workspaces`);
            await navigate({ to: '/platform/workspaces' });
          }}
          onClose={() => setDeleting(false)}
        />
      )}
    </>
  );
}

function Body({ name, workspace }: { name: string; workspace: Workspace | undefined }) {
  const { t } = useTranslation();
  const rights = useWorkspaceRights(name);
  const wrong = (workspace?.status?.conditions ?? []).filter((each) => each.status !== 'True');
  return (
    <Grid hasGutter>
      <GridItem>
        {wrong.map((each) => (
          <Alert key={each.type} isInline variant="warning" title={each.message || each.type} />
        ))}
        {rights.none && <Alert isInline variant="info" title={t('workspace.overview.nothing')} />}
        {wrong.length === 0 && !rights.none && <p className="ks-subtle">{t('workspace.overview.quiet')}</p>}
      </GridItem>
      <GridItem lg={6}>
        <Projects workspace={name} />
      </GridItem>
      <GridItem lg={6}>{rights.may('members', 'view') && <Members workspace={name} />}</GridItem>
      <GridItem lg={6}>
        <Facts
          title={t('words.workspace')}
          facts={[
            [t('words.name'), name],
            [t('words.manager'), workspace?.spec?.manager],
            [t('words.created'), <Age key="age" of={workspace?.metadata.creationTimestamp} />],
          ]}
        />
      </GridItem>
      <GridItem lg={6}>
        <YourRights workspace={name} />
      </GridItem>
    </Grid>
  );
}

function Section({ title, to, children }: { title: string; to?: string; children: ReactNode }) {
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">{to ? <RouterLink to={to}>{title}</RouterLink> : title}</CardTitle>
      <CardBody>{children}</CardBody>
    </Card>
  );
}

function Projects({ workspace }: { workspace: string }) {
  const { t } = useTranslation();
  const list = useList<KubeObject>(`${TENANT}/workspaces/${workspace}/namespaces`, {
    orderBy: 'createTime',
    reverse: true,
    limit: SHOWN,
  });
  return (
    <Section
      title={`${t('workspace.overview.projects')} · ${list.total}`}
      to={`/workspaces/${workspace}/projects`}
    >
      {list.items.length === 0 && !list.isLoading && (
        <p className="ks-subtle">{t('workspace.projects.emptyBody')}</p>
      )}
      <ul className="ks-rows">
        {list.items.map((each) => (
          <li key={each.metadata.name}>
            <RouterLink to={`/workspaces/${workspace}/projects/${each.metadata.name}`}>
              {each.metadata.name}
            </RouterLink>
            <span className="ks-subtle">
              <Age of={each.metadata.creationTimestamp} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Members({ workspace }: { workspace: string }) {
  const { t } = useTranslation();
  const roles = useRoleNames();
  const list = useList<Member>(`${IAM}/workspaces/${workspace}/members`, { limit: SHOWN });
  return (
    <Section
      title={`${t('workspace.overview.members')} · ${list.total}`}
      to={`/workspaces/${workspace}/members`}
    >
      <ul className="ks-rows">
        {list.items.map((each) => (
          <li key={each.username}>
            {each.username}
            <span className="ks-subtle">{roles.label(each.workspace_role)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function YourRights({ workspace }: { workspace: string }) {
  const { t } = useTranslation();
  const { data = [] } = useGet<Permission[]>(`${TENANT}/workspaces/${workspace}/rules`);
  return (
    <Section title={t('workspace.overview.yourRights')}>
      <LabelGroup numLabels={20}>
        {data.map((rule) => (
          <Label key={rule.name} isCompact variant="outline">
            {rule.name}: {rule.actions.join(', ')}
          </Label>
        ))}
      </LabelGroup>
    </Section>
  );
}
