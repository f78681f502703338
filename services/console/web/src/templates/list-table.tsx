/** The table of a list: a sticky head, skeletons of the final size, rows that flash when they change. */
import { MenuToggle, Skeleton } from '@patternfly/react-core';
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon';
import { ActionsColumn, type IAction, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { memo, type ReactNode, useDeferredValue } from 'react';
import { useTranslation } from 'react-i18next';
import type { ListState } from '@/api/queries';
import { useChangedRows } from './changed-rows';
import type { ListView } from './list-state';
import { ChooseAll, ChooseRow, type Choosing, RowChoice } from './row-choice';

export interface Column<T> {
  key: string;
  title: string;
  cell: (item: T) => ReactNode;
  /** What the service sorts by; without it the column is not sorted by. */
  sortKey?: string;
  /** The text of the exported file; without it, that of the cell where it is a text. */
  text?: (item: T) => string;
  /** In percent. */
  width?: 10 | 15 | 20 | 25 | 30 | 35 | 40 | 45 | 50;
  /** Not shown until somebody asks for it. */
  isHidden?: boolean;
}

export interface RowAction {
  label: string;
  onClick: () => void;
  isDanger?: boolean;
  isDisabled?: boolean;
  /** Why it is disabled, or what it does. */
  description?: string;
}

interface ListTableProps<T> {
  label: string;
  columns: Column<T>[];
  list: ListState<T>;
  view: ListView & { setSort: (key: string, descending: boolean) => void };
  rowKey: (item: T) => string;
  nameOf: (item: T) => string;
  actions?: (item: T) => RowAction[];
  isCompact: boolean;
  /** What is chosen of the rows, where any can be. */
  choosing?: Choosing<T>;
}

const SKELETON_ROWS = 8;

/** A hundred rows take longer than a frame: they are drawn beside what goes on, and never hold up scrolling. */
export function ListTable<T>(props: ListTableProps<T>) {
  return (
    <RowChoice choosing={props.choosing}>
      <Drawn of={useDeferredValue(props)} />
    </RowChoice>
  );
}

const Drawn = memo(Rows) as typeof Rows;

function Rows<T>({ of: props }: { of: ListTableProps<T> }) {
  const { columns, list, view } = props;
  const { t } = useTranslation();
  const changed = useChangedRows(list.items, props.rowKey);
  const sortable = columns.map((column) => column.sortKey);
  const canChoose = props.choosing !== undefined;
  return (
    <Table
      aria-label={props.label}
      aria-busy={list.isLoading}
      isStickyHeader
      variant={props.isCompact ? 'compact' : undefined}
    >
      <Thead>
        <Tr>
          {canChoose && (
            <Th className="pf-v6-c-table__check">
              <ChooseAll items={new Map(list.items.map((item) => [props.rowKey(item), item]))} />
            </Th>
          )}
          {columns.map((column, index) => (
            <Th
              key={column.key}
              width={column.width}
              sort={
                column.sortKey
                  ? {
                      columnIndex: index,
                      sortBy: {
                        index: sortable.indexOf(view.sort),
                        direction: view.descending ? 'desc' : 'asc',
                      },
                      onSort: (_event, _index, direction) =>
                        view.setSort(column.sortKey ?? '', direction === 'desc'),
                    }
                  : undefined
              }
            >
              {column.title}
            </Th>
          ))}
          {props.actions && <Th screenReaderText={t('actions.more')} />}
        </Tr>
      </Thead>
      <Tbody>
        {list.isLoading
          ? skeletons(columns.length, canChoose, Boolean(props.actions))
          : list.items.map((item) => {
              const key = props.rowKey(item);
              const actions = props.actions?.(item) ?? [];
              return (
                <Tr key={key} className={changed.has(key) ? 'ks-changed' : undefined}>
                  {canChoose && (
                    <Td className="pf-v6-c-table__check">
                      <ChooseRow rowKey={key} item={item} name={props.nameOf(item)} />
                    </Td>
                  )}
                  {columns.map((column) => (
                    <Td key={column.key} dataLabel={column.title}>
                      {column.cell(item)}
                    </Td>
                  ))}
                  {props.actions && (
                    <Td isActionCell>
                      {actions.length > 0 && (
                        <ActionsColumn
                          items={actions.map(toItem)}
                          actionsToggle={({ onToggle, isOpen, isDisabled, toggleRef }) => (
                            <MenuToggle
                              ref={toggleRef}
                              variant="plain"
                              icon={<EllipsisVIcon />}
                              isExpanded={isOpen}
                              isDisabled={isDisabled}
                              onClick={onToggle}
                              aria-label={t('actions.actionsFor', { name: props.nameOf(item) })}
                            />
                          )}
                        />
                      )}
                    </Td>
                  )}
                </Tr>
              );
            })}
      </Tbody>
    </Table>
  );
}

function toItem(action: RowAction): IAction {
  return {
    title: action.label,
    onClick: action.onClick,
    isDanger: action.isDanger,
    isAriaDisabled: action.isDisabled,
    description: action.description,
  };
}

function skeletons(columns: number, choosable: boolean, withActions: boolean): ReactNode {
  return Array.from({ length: SKELETON_ROWS }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
    <Tr key={row}>
      {choosable && <Td />}
      {Array.from({ length: columns }, (_, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the cells are all alike
        <Td key={column}>
          <Skeleton width={column === 0 ? '60%' : '40%'} />
        </Td>
      ))}
      {withActions && <Td />}
    </Tr>
  ));
}
