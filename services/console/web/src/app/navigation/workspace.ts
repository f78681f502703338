/** The navigation of a workspace. */
import type { TFunction } from 'i18next';
import type { NavigationGroup } from './entry';

export function workspaceNavigation(
  t: TFunction,
  workspace: string,
  may: (name: string, action: string) => boolean,
): NavigationGroup[] {
  const base = `/workspaces/${encodeURIComponent(workspace)}`;
  const entries = [
    { to: base, label: t('nav.overview'), exact: true, shown: true },
    { to: `${base}/projects`, label: t('nav.projects'), shown: true },
    { to: `${base}/members`, label: t('nav.members'), shown: may('members', 'view') },
    { to: `${base}/roles`, label: t('nav.roles'), shown: may('roles', 'view') },
    { to: `${base}/quotas`, label: t('workspace.quotas.title'), shown: true },
  ];
  return [{ title: workspace, entries: entries.filter((entry) => entry.shown) }];
}
