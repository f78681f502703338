/** What goes along with an object that is deleted, and what is left without it. */
import { get } from '@/api/client';
import type { KubeObject, Page } from '@/api/objects';
import { listParameters, resourcesPath } from '@/api/paths';
import type { ProjectKind } from '../kind';
import type { Ingress, Pod, PodSpec } from '../objects';

export interface Dependents {
  /** Deleted with it. */
  goesAlong: string[];
  /** Stays, but uses it. */
  leftWithout: string[];
}

const MOST = 100;

export async function dependentsOf(kind: ProjectKind, object: KubeObject): Promise<Dependents> {
  const { name, namespace = '' } = object.metadata;
  const find = async <T extends KubeObject>(resource: string, conditions: Record<string, string>) =>
    (
      await get<Page<T>>(
        `${resourcesPath(resource, namespace)}?${listParameters({ conditions, limit: MOST })}`,
      )
    ).items;
  const pods = (conditions: Record<string, string> = {}) => find<Pod>('pods', conditions);
  switch (kind.name) {
    case 'deployments':
    case 'statefulsets':
    case 'daemonsets':
    case 'jobs':
      return {
        goesAlong: named('Pod', await pods({ ownerKind: kind.ref.kind, ownerName: name })),
        leftWithout: [],
      };
    case 'cronjobs':
      return {
        goesAlong: named(
          'Job',
          (await find('jobs', {})).filter((each) => isOwnedBy(each, object)),
        ),
        leftWithout: [],
      };
    case 'persistentvolumeclaims':
      return { goesAlong: [], leftWithout: named('Pod', await pods({ pvcName: name })) };
    case 'configmaps':
      return {
        goesAlong: [],
        leftWithout: named(
          'Pod',
          (await pods()).filter((each) => uses(each.spec, 'configmaps', name)),
        ),
      };
    case 'secrets':
      return {
        goesAlong: [],
        leftWithout: named(
          'Pod',
          (await pods()).filter((each) => uses(each.spec, 'secrets', name)),
        ),
      };
    case 'services': {
      const routes = await find<Ingress>('ingresses', {});
      return {
        goesAlong: [],
        leftWithout: named(
          'Ingress',
          routes.filter((each) => leadsTo(each, name)),
        ),
      };
    }
    default:
      return { goesAlong: [], leftWithout: [] };
  }
}

function named(kind: string, objects: KubeObject[]): string[] {
  return objects.map((each) => `${kind} ${each.metadata.name}`);
}

function isOwnedBy(each: KubeObject, owner: KubeObject): boolean {
  return each.metadata.ownerReferences?.some((of) => of.uid === owner.metadata.uid) ?? false;
}

function leadsTo(route: Ingress, service: string): boolean {
  return (route.spec?.rules ?? []).some((rule) =>
    rule.http?.paths.some((path) => path.backend.service?.name === service),
  );
}

/** Whether pods of this spec need the config map or secret. Pure. */
export function uses(spec: PodSpec | undefined, kind: 'configmaps' | 'secrets', name: string): boolean {
  const isSecret = kind === 'secrets';
  const mounted = (spec?.volumes ?? []).some((each) =>
    isSecret ? each.secret?.secretName === name : each.configMap?.name === name,
  );
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return (
    mounted ||
    containers.some(
      (each) =>
        each.env?.some(
          (one) => (isSecret ? one.valueFrom?.secretKeyRef : one.valueFrom?.configMapKeyRef)?.name === name,
        ) || each.envFrom?.some((one) => (isSecret ? one.secretRef : one.configMapRef)?.name === name),
    )
  );
}
