/** The network policy that closes a project, but for itself and who is let in. Pure. */
import type { KubeObject } from '@/api/objects';

interface Peer {
  podSelector?: object;
  namespaceSelector?: { matchLabels?: Record<string, string> };
}

export type NetworkPolicy = KubeObject<{
  podSelector?: { matchLabels?: Record<string, string> };
  policyTypes?: string[];
  ingress?: { from?: Peer[] }[];
  egress?: unknown[];
}>;

export const ISOLATION = 'project-isolation';
const NAMESPACE = 'kubernetes.io/metadata.name';
/** Where the routers are that lead routes into projects. */
const ROUTERS = 'kubesphere-controls-system';

export function isolationPolicy(namespace: string, allowed: readonly string[]): NetworkPolicy {
  const others = [ROUTERS, ...allowed].map((name) => ({
    namespaceSelector: { matchLabels: { [NAMESPACE]: name } },
  }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: ISOLATION, namespace },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: {} }, ...others] }],
    },
  };
}

/** The projects that such a policy lets in. */
export function allowedBy(policy: NetworkPolicy | undefined): string[] {
  const peers = (policy?.spec?.ingress ?? []).flatMap((rule) => rule.from ?? []);
  return peers
    .map((peer) => peer.namespaceSelector?.matchLabels?.[NAMESPACE] ?? '')
    .filter((name) => name !== '' && name !== ROUTERS);
}
