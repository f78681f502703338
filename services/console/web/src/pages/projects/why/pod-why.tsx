/** Why a pod does not run: every cause that the apiserver finds, with what to do about it. */
import { Alert, Content, Skeleton } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { RESOURCES } from '@/api/paths';
import { useGet } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { useProject } from '../place';

const LOOK_AGAIN_MS = 5_000;
const KNOWN = ['image', 'scheduling', 'crash', 'probe', 'volume', 'quota', 'container', 'eviction'] as const;
type Cause = (typeof KNOWN)[number];

interface Reason {
  type: Cause;
  reason: string;
  message: string;
  container?: string;
}

interface PodExplanation {
  running: boolean;
  phase: string;
  reasons: Reason[];
  unseen?: string[];
}

export function PodWhy({ pod, titled = false }: { pod: string; titled?: boolean }) {
  const { t } = useTranslation();
  const project = useProject();
  const path = `${RESOURCES}/namespaces/${encodeURIComponent(project.namespace)}/pods/${encodeURIComponent(pod)}/explain`;
  const { data, error, isPending } = useGet<PodExplanation>(path, { refetchInterval: LOOK_AGAIN_MS });
  if (isPending) return <Skeleton height="6rem" screenreaderText={t('project.why.looking')} />;
  if (error)
    return (
      <Alert isInline variant="warning" title={t('project.why.unknown')}>
        {error.message}
      </Alert>
    );
  if (!data || data.running) return null;
  return (
    <section className="ks-why" aria-label={t('project.why.title', { name: pod })}>
      {titled && (
        <Content component="h3">
          <RouterLink to={project.objectPath('pods', pod)}>{pod}</RouterLink>
        </Content>
      )}
      {data.reasons.length === 0 && (
        <Alert isInline variant="info" title={t('project.why.notYet')}>
          {t('project.why.notYetBody')}
        </Alert>
      )}
      {data.reasons.map((each) => (
        <Alert
          key={`${each.type}/${each.container ?? ''}/${each.reason}/${each.message}`}
          isInline
          variant={each.type === 'quota' || each.type === 'probe' ? 'warning' : 'danger'}
          title={t(`project.why.cause.${each.type}`, { container: each.container ?? '' })}
        >
          <p>
            <strong>{each.reason}</strong> {each.message}
          </p>
          <p>{t(`project.why.advice.${each.type}`)}</p>
          {each.type === 'crash' && (
            <RouterLink
              to={project.objectPath('pods', pod)}
              search={{ tab: 'logs', container: each.container ?? '', previous: '1' }}
            >
              {t('project.why.lastLog')}
            </RouterLink>
          )}
        </Alert>
      ))}
      {data.unseen && (
        <p className="ks-subtle">{t('project.why.unseen', { what: data.unseen.join(', ') })}</p>
      )}
    </section>
  );
}
