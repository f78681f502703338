/** The toolbar of a list: what to find, what is shown, and what to do with the rows that are chosen. */
import {
  Button,
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  MenuToggle,
  SearchInput,
  Select,
  SelectList,
  SelectOption,
  Toolbar,
  ToolbarContent,
  ToolbarFilter,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core';
import CogIcon from '@patternfly/react-icons/dist/esm/icons/cog-icon';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ListState } from '@/api/queries';
import { exportRows } from './export';
import { useSearchLabels } from './labels';
import type { ListControls } from './list-state';
import type { Column } from './list-table';

/** A filter by one of a few values, or by what is typed; it shows as a chip that is taken away with a click. */
export interface Filter {
  key: string;
  label: string;
  /** Without them the value is typed. */
  options?: { value: string; label: string }[];
}

interface ListToolbarProps<T> {
  id: string;
  view: ListControls;
  list: ListState<T>;
  filters?: Filter[];
  searchHint?: string;
  columns: Column<T>[];
  hidden: string[];
  onHide: (hidden: string[]) => void;
  compact: boolean;
  onCompact: (compact: boolean) => void;
  pagination: ReactNode;
  primary?: { label: string; onClick: () => void };
  bulk?: { label: string; isDanger?: boolean; run: () => void }[];
  chosen: number;
}

export function ListToolbar<T>(props: ListToolbarProps<T>) {
  const { view, filters = [] } = props;
  const { t } = useTranslation();
  return (
    <Toolbar
      clearAllFilters={view.clear}
      clearFiltersButtonText={t('actions.clearFilters')}
      inset={{ default: 'insetNone' }}
    >
      <ToolbarContent>
        <ToolbarItem>
          <Search
            value={view.search}
            onChange={view.setSearch}
            hint={props.searchHint ?? t('list.searchPlaceholder')}
          />
        </ToolbarItem>
        <ToolbarGroup variant="filter-group">
          {filters.map((filter) => (
            <ToolbarFilter
              key={filter.key}
              categoryName={filter.label}
              labels={chips(filter, view.filters[filter.key])}
              deleteLabel={() => view.setFilter(filter.key, '')}
            >
              <FilterInput
                filter={filter}
                value={view.filters[filter.key] ?? ''}
                onChoose={(value) => view.setFilter(filter.key, value)}
              />
            </ToolbarFilter>
          ))}
        </ToolbarGroup>
        {props.chosen > 0 && (
          <ToolbarGroup variant="action-group">
            <ToolbarItem alignSelf="center">{t('list.selected', { count: props.chosen })}</ToolbarItem>
            {props.bulk?.map((action) => (
              <ToolbarItem key={action.label}>
                <Button variant={action.isDanger ? 'danger' : 'secondary'} onClick={action.run}>
                  {action.label}
                </Button>
              </ToolbarItem>
            ))}
          </ToolbarGroup>
        )}
        <ToolbarGroup align={{ default: 'alignEnd' }}>
          {props.primary && (
            <ToolbarItem>
              <Button variant="primary" onClick={props.primary.onClick}>
                {props.primary.label}
              </Button>
            </ToolbarItem>
          )}
          <ToolbarItem>
            <ViewMenu {...props} />
          </ToolbarItem>
          <ToolbarItem variant="pagination">{props.pagination}</ToolbarItem>
        </ToolbarGroup>
      </ToolbarContent>
    </Toolbar>
  );
}

const TYPING_MS = 250;

/** Types at once, and has the list follow when one pauses. */
function Search(props: { value: string; onChange: (value: string) => void; hint: string }) {
  const { value, onChange, hint } = props;
  const labels = useSearchLabels();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <SearchInput
      {...labels}
      aria-label={hint}
      placeholder={hint}
      value={text}
      onChange={(_, typed) => setText(typed)}
      onClear={() => onChange('')}
      onSearch={() => onChange(text)}
    />
  );
}

function chips(filter: Filter, value: string | undefined): string[] {
  if (!value) return [];
  return [filter.options?.find((option) => option.value === value)?.label ?? value];
}

interface FilterInputProps {
  filter: Filter;
  value: string;
  onChoose: (value: string) => void;
}

function FilterInput(props: FilterInputProps) {
  const { t } = useTranslation();
  const { filter, value, onChoose } = props;
  if (filter.options) return <FilterSelect {...props} />;
  return <Search value={value} onChange={onChoose} hint={t('list.filterBy', { what: filter.label })} />;
}

function FilterSelect(props: FilterInputProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const { filter, value } = props;
  return (
    <Select
      isOpen={isOpen}
      onOpenChange={setOpen}
      selected={value}
      onSelect={(_, chosen) => {
        props.onChoose(chosen === value ? '' : String(chosen));
        setOpen(false);
      }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          aria-label={t('list.filterBy', { what: filter.label })}
        >
          {filter.label}
        </MenuToggle>
      )}
    >
      <SelectList>
        {filter.options?.map((option) => (
          <SelectOption key={option.value} value={option.value}>
            {option.label}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  );
}

function ViewMenu<T>(props: ListToolbarProps<T>) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const { columns, hidden, compact } = props;
  const toggle = (key: string) =>
    props.onHide(hidden.includes(key) ? hidden.filter((each) => each !== key) : [...hidden, key]);
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          aria-label={t('list.view')}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          icon={<CogIcon />}
        />
      )}
    >
      <DropdownGroup label={t('list.columns')}>
        <DropdownList>
          {columns.slice(1).map((column) => (
            <DropdownItem
              key={column.key}
              hasCheckbox
              isSelected={!hidden.includes(column.key)}
              onClick={() => toggle(column.key)}
            >
              {column.title}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <DropdownGroup label={t('list.density')}>
        <DropdownList>
          <DropdownItem isSelected={!compact} onClick={() => props.onCompact(false)}>
            {t('list.comfortable')}
          </DropdownItem>
          <DropdownItem isSelected={compact} onClick={() => props.onCompact(true)}>
            {t('list.compact')}
          </DropdownItem>
        </DropdownList>
      </DropdownGroup>
      <DropdownGroup>
        <DropdownList>
          <DropdownItem onClick={() => exportRows(props.id, columns, props.list.items)}>
            {t('list.export')}
          </DropdownItem>
        </DropdownList>
      </DropdownGroup>
    </Dropdown>
  );
}
