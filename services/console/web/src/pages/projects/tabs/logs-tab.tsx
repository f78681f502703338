/** Logs of a pod's container, or of all pods of a workload. */
import { EmptyState, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveList } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import { PageSkeleton } from '@/app/shell';
import { useUrlState } from '@/app/url-state';
import { LogView } from '@/templates/logs/log-view';
import type { LogSource } from '@/templates/logs/stream';
import type { ProjectKind } from '../kind';
import type { Pod } from '../objects';
import { useProject } from '../place';

/** Each connection is one of the few that one person may have open. */
const MOST_SOURCES = 8;

export function PodLogsTab({ pod }: { pod: Pod }) {
  const { t } = useTranslation();
  const [state, set] = useUrlState();
  const names = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(
    (each) => each.name,
  );
  const container = names.find((each) => each === state.container) ?? names[0] ?? '';
  const { name, namespace = '' } = pod.metadata;
  const sources = useMemo(() => [{ namespace, pod: name, container }], [namespace, name, container]);
  return (
    <>
      {names.length > 1 && (
        <FormSelect
          className="ks-container-choice"
          aria-label={t('project.words.container')}
          value={container}
          onChange={(_, value) => set({ container: value })}
        >
          {names.map((each) => (
            <FormSelectOption key={each} value={each} label={each} />
          ))}
        </FormSelect>
      )}
      <LogView sources={sources} />
    </>
  );
}

export function WorkloadLogsTab({ kind, workload }: { kind: ProjectKind; workload: KubeObject }) {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const query = { conditions: { ownerKind: kind.ref.kind, ownerName: workload.metadata.name }, limit: 100 };
  const pods = useLiveList<Pod>('pods', namespace, query);
  const names = sourcesOf(pods.items)
    .map((each) => `${each.pod}/${each.container}`)
    .join(' ');
  const sources = useMemo<LogSource[]>(
    () =>
      names.split(' ').flatMap((each) => {
        const [pod = '', container = ''] = each.split('/');
        return pod ? [{ namespace, pod, container }] : [];
      }),
    [names, namespace],
  );
  if (pods.isLoading) return <PageSkeleton />;
  if (sources.length === 0) return <EmptyState titleText={t('project.pods.none')} headingLevel="h2" />;
  const all = pods.items.reduce((sum, each) => sum + (each.spec?.containers.length ?? 0), 0);
  return (
    <>
      {all > sources.length && (
        <p className="ks-subtle">{t('project.logs.some', { count: sources.length, all })}</p>
      )}
      <LogView sources={sources} />
    </>
  );
}

/** The containers that have begun to write. */
function sourcesOf(pods: Pod[]): { pod: string; container: string }[] {
  return pods
    .filter((pod) => pod.status?.phase !== 'Pending')
    .flatMap((pod) =>
      (pod.spec?.containers ?? []).map((each) => ({ pod: pod.metadata.name, container: each.name })),
    )
    .slice(0, MOST_SOURCES);
}
