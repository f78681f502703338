/** The navigation of the platform: what the caller's rules open, nothing that would answer 403. */
import type { TFunction } from 'i18next';
import type { NavigationGroup } from './entry';

type May = (name: string, action: string) => boolean;

export function platformNavigation(t: TFunction, may: May): NavigationGroup[] {
  const entries = [
    { to: '/platform/workspaces', label: t('nav.workspaces'), shown: true },
    { to: '/platform/projects', label: t('nav.projects'), shown: may('projects', 'view') },
    { to: '/platform/accounts', label: t('nav.accounts'), shown: may('accounts', 'view') },
    { to: '/platform/roles', label: t('nav.platformRoles'), shown: may('roles', 'view') },
    { to: '/platform/nodes', label: t('nav.nodes'), shown: may('nodes', 'view') },
    { to: '/platform/storageclasses', label: t('nav.storageClasses'), shown: may('storageclasses', 'view') },
    { to: '/platform/components', label: t('nav.components'), shown: may('monitoring', 'view') },
  ];
  return [{ title: t('app.platform'), entries: entries.filter((entry) => entry.shown) }];
}
