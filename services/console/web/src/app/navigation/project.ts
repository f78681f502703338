/** The navigation of a project. */
import type { TFunction } from 'i18next';
import type { NavigationGroup } from './entry';

export function projectNavigation(
  t: TFunction,
  workspace: string,
  project: string,
  _may: (name: string, action: string) => boolean,
): NavigationGroup[] {
  const base = `/workspaces/${encodeURIComponent(workspace)}/projects/${encodeURIComponent(project)}`;
  return [{ title: project, entries: [{ to: base, label: t('nav.overview'), exact: true }] }];
}
