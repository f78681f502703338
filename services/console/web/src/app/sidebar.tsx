/** The sidebar: the platform, or the workspace or project that one is in. */
import { Nav, NavGroup, NavItem, NavList, PageSidebar, PageSidebarBody } from '@patternfly/react-core';
import { useLocation, useRouter } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { NavigationEntry, NavigationGroup } from './navigation/entry';
import { placeOf } from './navigation/place';
import { platformNavigation } from './navigation/platform';
import { projectNavigation } from './navigation/project';
import { workspaceNavigation } from './navigation/workspace';
import { useProjectRights, useWorkspaceRights } from './permissions';
import { useMay } from './session';

export function Navigation() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const groups = useGroups(t, pathname);
  const entries = groups.reduce((sum, group) => sum + group.entries.length, 0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: where one is, and the entries, decide what is current
  useEffect(() => {
    document.querySelector('.pf-v6-c-nav__link.pf-m-current')?.scrollIntoView({ block: 'nearest' });
  }, [pathname, entries]);
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label={t('app.navigation')}>
          <NavList>
            <Entry entry={{ to: '/', label: t('nav.home'), exact: true }} pathname={pathname} />
          </NavList>
          {groups.map((group) => (
            <NavGroup key={group.title} title={group.title}>
              {group.entries.map((entry) => (
                <Entry key={entry.to} entry={entry} pathname={pathname} />
              ))}
            </NavGroup>
          ))}
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}

function useGroups(t: TFunction, pathname: string): NavigationGroup[] {
  const may = useMay();
  const { workspace, project } = placeOf(pathname);
  const inWorkspace = useWorkspaceRights(workspace);
  const inProject = useProjectRights(project);
  if (project) return projectNavigation(t, workspace, project, inProject.may);
  if (workspace) return workspaceNavigation(t, workspace, inWorkspace.may);
  return platformNavigation(t, may);
}

function Entry({ entry, pathname }: { entry: NavigationEntry; pathname: string }) {
  const router = useRouter();
  const isActive = entry.exact
    ? pathname === entry.to
    : pathname === entry.to || pathname.startsWith(`${entry.to}/`);
  return (
    <NavItem
      itemId={entry.to}
      isActive={isActive}
      to={entry.to}
      onClick={(event) => {
        const click = event.nativeEvent as unknown as MouseEvent;
        if (click.ctrlKey || click.metaKey || click.shiftKey) return;
        event.preventDefault();
        void router.navigate({ to: entry.to });
      }}
    >
      {entry.label}
    </NavItem>
  );
}
