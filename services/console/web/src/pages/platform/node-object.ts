/** Nodes, and what their fields mean. */
import type { Condition, KubeObject } from '@/api/objects';

export interface Taint {
  key: string;
  value?: string;
  effect: string;
}

export type Node = KubeObject<
  { unschedulable?: boolean; taints?: Taint[]; podCIDR?: string },
  {
    conditions?: (Condition & { lastHeartbeatTime?: string })[];
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    addresses?: { type: string; address: string }[];
    nodeInfo?: Record<string, string>;
  }
>;

const ROLE = 'node-role.kubernetes.io/';

export function isReady(node: Node): boolean {
  return node.status?.conditions?.find((each) => each.type === 'Ready')?.status === 'True';
}

export function rolesOf(node: Node): string[] {
  return Object.keys(node.metadata.labels ?? {})
    .filter((key) => key.startsWith(ROLE))
    .map((key) => key.slice(ROLE.length));
}

/** Conditions that say something is wrong: Ready should be true, all others false. */
export function troubles(node: Node): Condition[] {
  return (node.status?.conditions ?? []).filter((each) =>
    each.type === 'Ready' ? each.status !== 'True' : each.status !== 'False',
  );
}

const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti'];

/** `16384256Ki` as `15.6 GiB`. */
export function bytes(quantity: string | undefined): string {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti)?$/.exec(quantity ?? '');
  if (!match) return quantity ?? '–';
  let size = Number(match[1]) * 1024 ** UNITS.indexOf(match[2] ?? '');
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(size < 10 && unit > 0 ? 1 : 0)} ${UNITS[unit]}B`;
}
