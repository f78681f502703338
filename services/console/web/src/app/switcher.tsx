/** Goes from one workspace or project to another, by typing a part of its name. */
import {
  Divider,
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  MenuSearch,
  MenuSearchInput,
  MenuToggle,
  SearchInput,
} from '@patternfly/react-core';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { aliasOf, type KubeObject, WORKSPACE_LABEL } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { useList } from '@/api/queries';
import { useSearchLabels } from '@/templates/labels';
import { useSettled } from '@/templates/list-state';
import { placeOf } from './navigation/place';

const SHOWN = 8;

export function Switcher() {
  const { t } = useTranslation();
  const place = placeOf(useLocation().pathname);
  const [isOpen, setOpen] = useState(false);
  const label = place.project ? `${place.workspace} / ${place.project}` : place.workspace || t('app.noPlace');
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onOpenChangeKeys={['Escape']}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          aria-label={`${t('app.switchPlace')}: ${label}`}
        >
          {label}
        </MenuToggle>
      )}
    >
      {isOpen && <Places onChoose={() => setOpen(false)} />}
    </Dropdown>
  );
}

function Places({ onChoose }: { onChoose: () => void }) {
  const { t } = useTranslation();
  const labels = useSearchLabels();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const query = { conditions: { 'name~': useSettled(text) }, limit: SHOWN };
  const workspaces = useList<KubeObject>(`${TENANT}/workspaces`, query);
  const projects = useList<KubeObject>(`${TENANT}/namespaces`, query);
  const go = (to: string) => {
    onChoose();
    void navigate({ to });
  };
  return (
    <>
      <MenuSearch>
        <MenuSearchInput>
          <SearchInput
            {...labels}
            autoFocus
            aria-label={t('list.searchPlaceholder')}
            placeholder={t('list.searchPlaceholder')}
            value={text}
            onChange={(_, value) => setText(value)}
            onClear={() => setText('')}
          />
        </MenuSearchInput>
      </MenuSearch>
      <Divider />
      <DropdownGroup label={t('words.workspaces')}>
        <DropdownList>
          {workspaces.items.map((each) => (
            <DropdownItem
              key={each.metadata.name}
              description={aliasOf(each) || undefined}
              onClick={() => go(`/workspaces/${each.metadata.name}`)}
            >
              {each.metadata.name}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <DropdownGroup label={t('words.projects')}>
        <DropdownList>
          {projects.items
            .filter((each) => each.metadata.labels?.[WORKSPACE_LABEL])
            .map((each) => {
              const workspace = each.metadata.labels?.[WORKSPACE_LABEL] ?? '';
              return (
                <DropdownItem
                  key={each.metadata.name}
                  description={workspace}
                  onClick={() => go(`/workspaces/${workspace}/projects/${each.metadata.name}`)}
                >
                  {each.metadata.name}
                </DropdownItem>
              );
            })}
        </DropdownList>
      </DropdownGroup>
    </>
  );
}
