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
import { RESOURCES } from '@/api/paths';
import { useGet } from '@/api/queries';
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

export function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const may = useMay();
  const [text, setText] = useState('');
  const wanted = useSettled(text.trim(), 150);
  const menu = useRef<HTMLDivElement>(null);
  const results = useGet<Results>(`${RESOURCES}/search?limit=12&q=${encodeURIComponent(wanted)}`, {
    enabled: wanted.length > 0,
  });
  const pages = platformNavigation(t, may)
    .flatMap((group) => group.entries)
    .concat({ to: '/', label: t('nav.home') }, { to: '/me', label: t('app.profile') })
    .filter((entry) => entry.label.toLowerCase().includes(text.trim().toLowerCase()));
  const objects = wanted ? (results.data?.items ?? []) : [];
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
    <Modal isOpen variant="medium" position="top" onClose={onClose} aria-label={t('palette.title')}>
      <ModalBody className="ks-palette">
        <SearchInput
          autoFocus
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
        {wanted !== '' && results.data && objects.length === 0 && pages.length === 0 && (
          <EmptyState variant="xs" titleText={t('palette.nothing')} headingLevel="h2" />
        )}
      </ModalBody>
    </Modal>
  );
}
