/** One object of a project. */
import { useQuery } from '@tanstack/react-query';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { lazy, type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { get } from '@/api/client';
import { clusterPath } from '@/api/cluster';
import type { ApiError } from '@/api/errors';
import { useLiveObject } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import { NotFound, Problem } from '@/app/problem';
import { PageSkeleton } from '@/app/shell';
import { Age } from '@/app/time';
import { DetailPage, type DetailTab } from '@/templates/detail-page';
import { useObjectActions } from './actions/use-actions';
import { containersOf, type ProjectKind, type TabName } from './kind';
import { KINDS } from './kinds';
import { Liveness } from './liveness';
import type { Job, Pod, Workload } from './objects';
import { kindAt, useProject } from './place';
import { useKindRights } from './rights';
import { StatusLabel } from './status-label';
import { EventsTab } from './tabs/events-tab';
import { OverviewTab } from './tabs/overview-tab';
import { RefusalNotice } from './why/refusal';

const PodsTab = lazy(() => import('./tabs/pods-tab').then((it) => ({ default: it.PodsTab })));
const JobsTab = lazy(() => import('./tabs/jobs-tab').then((it) => ({ default: it.JobsTab })));
const RevisionsTab = lazy(() => import('./tabs/revisions-tab').then((it) => ({ default: it.RevisionsTab })));
const EnvironmentTab = lazy(() =>
  import('./tabs/environment-tab').then((it) => ({ default: it.EnvironmentTab })),
);
const DataTab = lazy(() => import('./tabs/data-tab').then((it) => ({ default: it.DataTab })));
const PodLogsTab = lazy(() => import('./tabs/logs-tab').then((it) => ({ default: it.PodLogsTab })));
const WorkloadLogsTab = lazy(() => import('./tabs/logs-tab').then((it) => ({ default: it.WorkloadLogsTab })));
const TerminalTab = lazy(() => import('./tabs/terminal-tab').then((it) => ({ default: it.TerminalTab })));
const YamlTab = lazy(() => import('./tabs/yaml-tab').then((it) => ({ default: it.YamlTab })));

export function ObjectPage() {
  const at = kindAt(useLocation().pathname);
  return at?.name ? (
    <ObjectOf key={`${at.kind}/${at.name}`} kind={KINDS[at.kind]} name={at.name} />
  ) : (
    <NotFound />
  );
}

const POLL_MS = 10_000;

/** The object as Kubernetes has it, asked for anew whenever the watch tells of a change. */
function useObject(kind: ProjectKind, namespace: string, name: string) {
  const path = clusterPath(kind.ref, namespace, name);
  const watched = useLiveObject<KubeObject>(kind.name, namespace, name);
  const found = useQuery<KubeObject, ApiError>({
    queryKey: [path],
    queryFn: ({ signal }) => get<KubeObject>(path, signal),
    refetchInterval: watched.live === 'live' ? false : POLL_MS,
  });
  const version = watched.object?.metadata.resourceVersion;
  const { refetch } = found;
  useEffect(() => {
    if (version) void refetch();
  }, [version, refetch]);
  return { ...found, live: watched.live };
}

function ObjectOf({ kind, name }: { kind: ProjectKind; name: string }) {
  const { t } = useTranslation();
  const project = useProject();
  const navigate = useNavigate();
  const { data: object, error, live, dataUpdatedAt, refetch } = useObject(kind, project.namespace, name);
  const rights = useKindRights(kind);
  const actions = useObjectActions(kind, rights, () => void navigate({ to: project.listPath(kind.name) }));
  const many = t(`project.kinds.${kind.name}.many`);
  if (error && (!object || error.status === 404 || error.status === 403)) {
    return <Problem error={error} retry={() => void refetch()} />;
  }
  if (!object) return <PageSkeleton />;
  // A list has its kind beside it, an object got alone within: forms and menus need both the same.
  const whole = { apiVersion: kind.ref.apiVersion, kind: kind.ref.kind, ...object };
  const status = kind.statusOf?.(whole);
  const content: Record<TabName, () => ReactNode> = {
    pods: () => <PodsTab kind={kind} object={whole} />,
    jobs: () => <JobsTab object={whole} />,
    revisions: () => <RevisionsTab kind={kind} workload={whole as Workload} mayEdit={rights.may('edit')} />,
    environment: () => <EnvironmentTab containers={containersOf(kind.templateOf?.(whole))} />,
    data: () => <DataTab kind={kind} object={whole} mayEdit={rights.may('edit')} />,
    logs: () =>
      kind.name === 'pods' ? (
        <PodLogsTab pod={whole as Pod} />
      ) : (
        <WorkloadLogsTab kind={kind} workload={whole as Job} />
      ),
    terminal: () => (
      <TerminalTab pod={whole as Pod} mayOpen={rights.may('terminal')} denied={rights.denied} />
    ),
    events: () => <EventsTab object={whole} />,
    yaml: () => <YamlTab kind={kind} object={whole} mayEdit={rights.may('edit') || kind.name === 'pods'} />,
  };
  const tabs: DetailTab[] = [
    { key: 'overview', title: t('words.overview'), body: () => <OverviewTab kind={kind} object={whole} /> },
    ...kind.tabs.map((key) => ({ key, title: t(`project.tabs.${key}`), body: content[key] })),
  ];
  return (
    <>
      <DetailPage
        crumbs={[
          { to: project.base, label: project.namespace },
          { to: project.listPath(kind.name), label: many },
        ]}
        title={name}
        status={status && <StatusLabel status={status} withReason />}
        subtitle={
          <>
            {t(`project.kinds.${kind.name}.one`)} · {t('words.created')}{' '}
            <Age of={whole.metadata.creationTimestamp} />
          </>
        }
        actions={actions.of(whole)}
        notice={
          <>
            <RefusalNotice
              denied={rights.denied.filter((each) => each.question.verb !== 'create' || kind.name === 'pods')}
            />
            <Liveness state={live} heardAt={dataUpdatedAt} />
          </>
        }
        tabs={tabs}
      />
      {actions.dialogs}
    </>
  );
}
