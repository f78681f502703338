import {
  Alert,
  Card,
  CardBody,
  CardTitle,
  Content,
  EmptyState,
  EmptyStateBody,
  Grid,
  GridItem,
  PageSection,
  Skeleton,
  Title,
} from '@patternfly/react-core';
import CubesIcon from '@patternfly/react-icons/dist/esm/icons/cubes-icon';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { aliasOf, type Condition, type KubeObject, WORKSPACE_LABEL } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { type ListState, useList } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { Problem } from '@/app/problem';
import { recentPaths } from '@/app/recent';
import { useProfile } from '@/app/session';
import { Age } from '@/app/time';
import { useTitle } from '@/app/title';
import type { Workspace } from './platform/workspaces';

const SHOWN = 8;
const LATEST = { orderBy: 'createTime', reverse: true, limit: SHOWN };

/** What is mine: what needs attention first, then workspaces, projects, and where I was. */
export function HomePage() {
  const { t } = useTranslation();
  const { username } = useProfile();
  useTitle(t('nav.home'));
  const workspaces = useList<Workspace>(`${TENANT}/workspaces`, LATEST);
  const projects = useList<KubeObject>(`${TENANT}/namespaces`, LATEST);
  const isAlone =
    !workspaces.isLoading && !workspaces.error && workspaces.total === 0 && projects.total === 0;
  return (
    <PageSection hasBodyWrapper={false} isFilled>
      <Title headingLevel="h1">{t('home.title', { name: username })}</Title>
      <Attention workspaces={workspaces.items} projects={projects.items} />
      {isAlone ? (
        <EmptyState titleText={t('home.noWorkspaces')} icon={CubesIcon} headingLevel="h2">
          <EmptyStateBody>{t('home.noWorkspacesBody', { name: username })}</EmptyStateBody>
        </EmptyState>
      ) : (
        <Grid hasGutter>
          <GridItem lg={6}>
            <Section title={t('home.mine')} to="/platform/workspaces" list={workspaces}>
              {workspaces.items.map((each) => (
                <Row
                  key={each.metadata.name}
                  to={`/workspaces/${each.metadata.name}`}
                  name={aliasOf(each) || each.metadata.name}
                  of={each.metadata.creationTimestamp}
                />
              ))}
            </Section>
          </GridItem>
          <GridItem lg={6}>
            <Section title={t('home.projects')} to="/platform/projects" list={projects}>
              {projects.items.map((each) => (
                <Row
                  key={each.metadata.name}
                  to={`/workspaces/${each.metadata.labels?.[WORKSPACE_LABEL]}/projects/${each.metadata.name}`}
                  name={aliasOf(each) || each.metadata.name}
                  note={each.metadata.labels?.[WORKSPACE_LABEL]}
                  of={each.metadata.creationTimestamp}
                />
              ))}
            </Section>
          </GridItem>
          {recentPaths().length > 0 && (
            <GridItem lg={6}>
              <Card isCompact>
                <CardTitle component="h2">{t('home.recent')}</CardTitle>
                <CardBody>
                  <ul className="ks-rows">
                    {recentPaths()
                      .slice(0, SHOWN)
                      .map((path) => (
                        <Row key={path} to={path} name={path.split('/').filter(Boolean).join(' / ')} />
                      ))}
                  </ul>
                </CardBody>
              </Card>
            </GridItem>
          )}
        </Grid>
      )}
    </PageSection>
  );
}

interface Conditioned {
  metadata: KubeObject['metadata'];
  status?: { conditions?: Condition[] };
}

/** Of workspaces and projects that are mine, what is not as declared. */
function Attention({ workspaces, projects }: { workspaces: Conditioned[]; projects: Conditioned[] }) {
  const { t } = useTranslation();
  const wrong = [...workspaces, ...projects].flatMap((each) =>
    (each.status?.conditions ?? [])
      .filter((condition) => condition.type === 'Ready' && condition.status !== 'True')
      .map((condition) => ({ name: each.metadata.name, condition })),
  );
  if (wrong.length === 0) {
    return workspaces.length > 0 ? <Content component="p">{t('home.allWell')}</Content> : null;
  }
  return (
    <section aria-label={t('home.attention')}>
      {wrong.map(({ name, condition }) => (
        <Alert
          key={name}
          isInline
          variant="warning"
          title={`${name}: ${condition.message || condition.reason}`}
        />
      ))}
    </section>
  );
}

function Section(props: { title: string; to: string; list: ListState<unknown>; children: ReactNode }) {
  const { list } = props;
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">
        <RouterLink to={props.to}>{props.title}</RouterLink>
        {list.total > 0 && <span className="ks-count">{list.total}</span>}
      </CardTitle>
      <CardBody>
        {list.isLoading && <Skeleton height="8rem" />}
        {list.error && <Problem error={list.error} retry={list.refetch} />}
        <ul className="ks-rows">{props.children}</ul>
      </CardBody>
    </Card>
  );
}

function Row(props: { to: string; name: string; note?: string; of?: string }) {
  return (
    <li>
      <span>
        <RouterLink to={props.to}>{props.name}</RouterLink>
        {props.note && <span className="ks-subtle"> · {props.note}</span>}
      </span>
      {props.of && (
        <span className="ks-subtle">
          <Age of={props.of} />
        </span>
      )}
    </li>
  );
}
