/** Ctrl-K: pages, workspaces, projects and any object, by a part of its name. */
import {
  EmptyState,
  Menu,
  MenuContent,
  MenuGroup,
  MenuItem,
  MenuList,
  Modal,
  ModalBody,
  SearchInput,
  Skeleton,
} from '@patternfly/react-core';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type KubeObject, WORKSPACE_LABEL } from '@/api/objects';
import { RESOURCES, TENANT } from '@/api/paths';
import { useGet, useList } from '@/api/queries';
import { useSearchLabels } from '@/templates/labels';
import { useSettled } from '@/templates/list-state';
import { platformNavigation } from './navigation/platform';
import { type Found, pathOf } from './object-path';
import { recentPaths } from './recent';
import { useMay } from './session';

interface Results {
  items: Found[];
  missing?: string[];
}

const RECENT = 5;
/** Found among what is the caller's own, which takes no right to list all of them. */
const IN_PLACES = new Set(['workspaces', 'namespaces']);

/** Workspaces and projects of the caller that are called like `text`. */
function useMine(text: string): { name: string; note: string; to: string }[] {
  const { t } = useTranslation();
  const query = { conditions: { 'name~': text }, limit: 5 };
  const workspaces = useList<KubeObject>(`${TENANT}/workspaces`, query);
  const projects = useList<KubeObject>(`${TENANT}/namespaces`, query);
  if (!text) return [];
  return [
    ...workspaces.items.map(({ metadata: { name } }) => ({
      name,
      note: t('words.workspace'),
      to: `/workspaces/${name}`,
    })),
    ...projects.items.map(({ metadata: { name, labels } }) => ({
      name,
      note: `${t('words.project')} · ${labels?.[WORKSPACE_LABEL] ?? ''}`,
      to: `/projects/${name}`,
    })),
  ];
}

export function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const labels = useSearchLabels();
  const navigate = useNavigate();
  const may = useMay();
  const [text, setText] = useState('');
  const wanted = useSettled(text.trim(), 150);
  const menu = useRef<HTMLDivElement>(null);
  const results = useGet<Results>(`${RESOURCES}/search?limit=12&q=${encodeURIComponent(wanted)}`, {
    enabled: wanted.length > 0,
  });
  const mine = useMine(wanted);
  const pages = platformNavigation(t, may)
    .flatMap((group) => group.entries)
    .concat({ to: '/', label: t('nav.home') }, { to: '/me', label: t('app.profile') })
    .filter((entry) => entry.label.toLowerCase().includes(text.trim().toLowerCase()));
  const objects = wanted ? (results.data?.items ?? []).filter((each) => !IN_PLACES.has(each.resource)) : [];
  const go = (to: string) => {
    onClose();
    void navigate({ to });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(menu.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      items[0]?.focus();
    } else if (event.key === 'Enter') {
      items[0]?.click();
    }
  };
  return (
    <Modal
      isOpen
      variant="medium"
      position="top"
      onClose={onClose}
      aria-label={t('palette.title')}
      elementToFocus=".ks-palette input"
    >
      <ModalBody className="ks-palette">
        <SearchInput
          {...labels}
          aria-label={t('palette.title')}
          placeholder={t('palette.placeholder')}
          value={text}
          onChange={(_, value) => setText(value)}
          onClear={() => setText('')}
          onKeyDown={onKeyDown}
        />
        <Menu ref={menu} isPlain isScrollable>
          <MenuContent>
            {wanted === '' && recentPaths().length > 0 && (
              <MenuGroup label={t('palette.recent')}>
                <MenuList>
                  {recentPaths()
                    .slice(0, RECENT)
                    .map((path) => (
                      <MenuItem key={path} onClick={() => go(path)}>
                        {path}
                      </MenuItem>
                    ))}
                </MenuList>
              </MenuGroup>
            )}
            {pages.length > 0 && (
              <MenuGroup label={t('palette.pages')}>
                <MenuList>
                  {pages.map((entry) => (
                    <MenuItem key={entry.to} onClick={() => go(entry.to)}>
                      {entry.label}
                    </MenuItem>
                  ))}
                </MenuList>
              </MenuGroup>
            )}
            {mine.length > 0 && (
              <MenuGroup label={t('palette.places')}>
                <MenuList>
                  {mine.map((place) => (
                    <MenuItem key={place.to} description={place.note} onClick={() => go(place.to)}>
                      {place.name}
                    </MenuItem>
                  ))}
                </MenuList>
              </MenuGroup>
            )}
            {objects.length > 0 && (
              <MenuGroup label={t('palette.objects')}>
                <MenuList>
                  {objects.map((found) => (
                    <MenuItem
                      key={`${found.resource}/${found.namespace}/${found.name}`}
                      description={[found.kind, found.namespace].filter(Boolean).join(' · ')}
                      onClick={() => go(pathOf(found))}
                    >
                      {found.displayName || found.name}
                    </MenuItem>
                  ))}
                </MenuList>
              </MenuGroup>
            )}
          </MenuContent>
        </Menu>
        {wanted !== '' && results.isLoading && <Skeleton height="6rem" />}
        {wanted !== '' && results.data && objects.length + pages.length + mine.length === 0 && (
          <EmptyState variant="xs" titleText={t('palette.nothing')} headingLevel="h2" />
        )}
      </ModalBody>
    </Modal>
  );
}
