/** The revisions of workloads: replica sets of deployments, controller revisions of the others. Pure. */
import type { KubeObject } from '@/api/objects';
import { templateOfReplicaSet } from './actions/changes';
import type { ControllerRevision, PodTemplate, ReplicaSet, Workload } from './objects';

export interface Revision {
  number: number;
  created: string | undefined;
  /** What somebody has written of it (`kubernetes.io/change-cause`). */
  cause: string;
  isCurrent: boolean;
  template: PodTemplate;
  source: { is: 'template' } | { is: 'revision'; revision: ControllerRevision };
}

const NUMBER = 'deployment.kubernetes.io/revision';
const CAUSE = 'kubernetes.io/change-cause';

/** The latest first. */
export function revisionsOfDeployment(deployment: Workload, sets: readonly ReplicaSet[]): Revision[] {
  const now = deployment.metadata.annotations?.[NUMBER];
  return ownedBy(deployment, sets)
    .flatMap((set): Revision[] => {
      const template = templateOfReplicaSet(set);
      const number = set.metadata.annotations?.[NUMBER];
      if (!template || !number) return [];
      return [
        { ...common(set, Number(number)), isCurrent: number === now, template, source: { is: 'template' } },
      ];
    })
    .sort(latestFirst);
}

export function revisionsOfOther(workload: Workload, kept: readonly ControllerRevision[]): Revision[] {
  const owned = ownedBy(workload, kept);
  const newest = Math.max(...owned.map((each) => each.revision));
  const { updateRevision } = workload.status ?? {};
  return owned
    .flatMap((revision): Revision[] => {
      const template = revision.data.spec?.template;
      if (!template) return [];
      const isCurrent = updateRevision
        ? revision.metadata.name === updateRevision
        : revision.revision === newest;
      return [
        { ...common(revision, revision.revision), isCurrent, template, source: { is: 'revision', revision } },
      ];
    })
    .sort(latestFirst);
}

function common(of: KubeObject, number: number) {
  return { number, created: of.metadata.creationTimestamp, cause: of.metadata.annotations?.[CAUSE] ?? '' };
}

function ownedBy<T extends KubeObject>(owner: KubeObject, objects: readonly T[]): T[] {
  return objects.filter((each) => each.metadata.ownerReferences?.some((of) => of.uid === owner.metadata.uid));
}

function latestFirst(one: Revision, other: Revision): number {
  return other.number - one.number;
}
