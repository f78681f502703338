import { useTranslation } from 'react-i18next';
import { RouterLink } from '@/app/link';
import { PlainTable } from '@/templates/plain-table';
import type { Container, ContainerStatus, Pod } from '../objects';
import { useProject } from '../place';
import type { Status } from '../status';
import { StatusLabel } from '../status-label';

interface Row {
  container: Container;
  status: ContainerStatus | undefined;
  prepares: boolean;
}

export function ContainersTable({ pod }: { pod: Pod }) {
  const { t } = useTranslation();
  const project = useProject();
  const known = new Map(
    [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].map((each) => [
      each.name,
      each,
    ]),
  );
  const rows: Row[] = [
    ...(pod.spec?.initContainers ?? []).map((container) => ({
      container,
      status: known.get(container.name),
      prepares: true,
    })),
    ...(pod.spec?.containers ?? []).map((container) => ({
      container,
      status: known.get(container.name),
      prepares: false,
    })),
  ];
  const to = project.objectPath('pods', pod.metadata.name);
  return (
    <PlainTable
      label={t('project.words.containers')}
      items={rows}
      rowKey={(each) => each.container.name}
      empty="–"
      columns={[
        {
          title: t('words.name'),
          width: 20,
          cell: ({ container, prepares }) => (
            <>
              {container.name}
              {prepares && <div className="ks-subtle">{t('project.words.initContainer')}</div>}
            </>
          ),
        },
        {
          title: t('words.status'),
          cell: ({ status }) => <StatusLabel status={statusOf(status)} withReason />,
          width: 20,
        },
        { title: t('project.words.restarts'), cell: ({ status }) => status?.restartCount ?? 0, width: 10 },
        {
          title: t('project.words.image'),
          cell: ({ container }) => <span className="ks-break">{container.image}</span>,
        },
        {
          title: t('project.words.resources'),
          cell: ({ container }) => <Resources of={container} />,
          width: 20,
        },
        {
          title: t('project.tabs.logs'),
          width: 10,
          cell: ({ container }) => (
            <RouterLink
              to={to}
              search={{ tab: 'logs', container: container.name }}
              aria-label={`${t('project.tabs.logs')}: ${container.name}`}
            >
              {t('project.tabs.logs')}
            </RouterLink>
          ),
        },
      ]}
    />
  );
}

function statusOf(status: ContainerStatus | undefined): Status {
  const { state, ready } = status ?? {};
  if (state?.running)
    return { key: ready ? 'running' : 'notReady', tone: ready ? 'success' : 'warning', reason: '' };
  if (state?.terminated) {
    const well = state.terminated.exitCode === 0;
    return {
      key: well ? 'complete' : 'failed',
      tone: well ? 'success' : 'danger',
      reason: state.terminated.reason ?? '',
    };
  }
  return { key: 'waiting', tone: 'neutral', reason: state?.waiting?.reason ?? '' };
}

function Resources({ of }: { of: Container }) {
  const { requests = {}, limits = {} } = of.resources ?? {};
  const names = [...new Set([...Object.keys(requests), ...Object.keys(limits)])];
  if (names.length === 0) return <span>–</span>;
  return (
    <>
      {names.map((name) => (
        <div key={name} className="ks-subtle">
          {`${name} ${requests[name] ?? '–'} / ${limits[name] ?? '∞'}`}
        </div>
      ))}
    </>
  );
}
