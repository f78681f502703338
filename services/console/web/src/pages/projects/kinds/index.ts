/** Every kind that a project's pages show. */
import type { ProjectKind } from '../kind';
import type { KindName } from '../place';
import { configmaps, secrets, serviceaccounts } from './config';
import { cronjobs, jobs } from './jobs';
import { ingresses, services } from './network';
import { pods } from './pods';
import { persistentvolumeclaims } from './storage';
import { daemonsets, deployments, statefulsets } from './workloads';

export const KINDS: Record<KindName, ProjectKind> = {
  deployments,
  statefulsets,
  daemonsets,
  jobs,
  cronjobs,
  pods,
  services,
  ingresses,
  persistentvolumeclaims,
  configmaps,
  secrets,
  serviceaccounts,
};
