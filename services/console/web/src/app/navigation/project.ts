/** The navigation of a project: what the caller's rules open there, nothing that would answer 403. */
import type { TFunction } from 'i18next';
import { KIND_PLACES, type KindName, projectBase } from '@/pages/projects/place';
import type { NavigationGroup } from './entry';

type May = (name: string, action: string) => boolean;

export function projectNavigation(
  t: TFunction,
  workspace: string,
  project: string,
  may: May,
): NavigationGroup[] {
  const base = projectBase(workspace, project);
  const kind = (name: KindName, permission: string = name) => ({
    to: `${base}/${KIND_PLACES[name]}`,
    label: t(`project.kinds.${name}.many`),
    shown: may(permission, 'view'),
  });
  const groups = [
    { title: project, entries: [{ to: base, label: t('nav.overview'), exact: true, shown: true }] },
    {
      title: t('project.nav.workloads'),
      entries: [
        kind('deployments'),
        kind('statefulsets'),
        kind('daemonsets'),
        kind('jobs'),
        kind('cronjobs'),
        kind('pods'),
      ],
    },
    {
      title: t('project.nav.network'),
      entries: [
        kind('services'),
        kind('ingresses', 'routes'),
        { to: `${base}/isolation`, label: t('project.isolation.title'), shown: may('projects', 'view') },
      ],
    },
    {
      title: t('project.nav.data'),
      entries: [
        kind('persistentvolumeclaims', 'volumes'),
        kind('configmaps'),
        kind('secrets'),
        kind('serviceaccounts', 'projects'),
      ],
    },
    {
      title: t('project.nav.settings'),
      entries: [
        { to: `${base}/members`, label: t('nav.members'), shown: may('members', 'view') },
        { to: `${base}/roles`, label: t('nav.roles'), shown: may('roles', 'view') },
        { to: `${base}/quotas`, label: t('project.quotas.title'), shown: may('projects', 'view') },
      ],
    },
  ];
  return groups
    .map((group) => ({ ...group, entries: group.entries.filter((entry) => entry.shown) }))
    .filter((group) => group.entries.length > 0);
}
