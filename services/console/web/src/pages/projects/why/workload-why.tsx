/** Why a workload is not as it should be: what its controller says, and the pods that do not run. */
import { Alert } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { useLiveList } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import type { ProjectKind } from '../kind';
import type { Pod, Workload } from '../objects';
import { useProject } from '../place';
import { failureOf, needsAttention, statusOfPod } from '../status';
import { PodWhy } from './pod-why';

const EXPLAINED = 3;
const LOOKED_AT = 100;

export function WorkloadWhy({ kind, object }: { kind: ProjectKind; object: KubeObject }) {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const query = {
    conditions: { ownerKind: kind.ref.kind, ownerName: object.metadata.name },
    limit: LOOKED_AT,
  };
  const pods = useLiveList<Pod>('pods', namespace, query);
  const troubled = pods.items.filter((pod) => {
    const status = statusOfPod(pod);
    return needsAttention(status);
  });
  const failure = failureOf(object as Workload);
  return (
    <>
      {failure && (
        <Alert isInline variant="danger" title={t('project.why.controller')}>
          {failure}
        </Alert>
      )}
      {troubled.slice(0, EXPLAINED).map((pod) => (
        <PodWhy key={pod.metadata.uid} pod={pod.metadata.name} titled />
      ))}
      {troubled.length > EXPLAINED && (
        <p className="ks-subtle">{t('project.why.morePods', { count: troubled.length - EXPLAINED })}</p>
      )}
    </>
  );
}
