/**
 * A list: title with count, one primary action, search and filters, a table, what can be done with rows.
 *
 * A page gives columns, actions and words. What is searched, filtered, sorted and paged is in the address, and
 * asked of the service, never of the rows that happen to be here.
 */
import {
  Button,
  Content,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  PageSection,
  Pagination,
  Title,
} from '@patternfly/react-core';
import CubesIcon from '@patternfly/react-icons/dist/esm/icons/cubes-icon';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import type { ComponentType, ReactNode } from 'react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ListState } from '@/api/queries';
import { Problem } from '@/app/problem';
import { useTitle } from '@/app/title';
import { usePaginationTitles } from './labels';
import type { ListControls } from './list-state';
import { type Column, ListTable, type RowAction } from './list-table';
import { type Filter, ListToolbar } from './list-toolbar';
import { usePreference } from './preferences';

export interface BulkAction<T> {
  label: string;
  isDanger?: boolean;
  run: (items: T[]) => void;
}

export interface ListPageProps<T> {
  /** Names the list: what somebody sets about its columns and density is kept under it. */
  id: string;
  title: string;
  about?: string;
  view: ListControls;
  list: ListState<T>;
  columns: Column<T>[];
  rowKey: (item: T) => string;
  /** Of an item, for labels of its row's controls. */
  nameOf: (item: T) => string;
  filters?: Filter[];
  searchHint?: string;
  primary?: { label: string; onClick: () => void };
  actions?: (item: T) => RowAction[];
  bulk?: BulkAction<T>[];
  empty: { title: string; body: string; icon?: ComponentType };
  /** Below a heading of the page itself, such as in a tab: without a heading of its own. */
  embedded?: boolean;
  /** Above the table, such as an explanation of what may not be done here. */
  notice?: ReactNode;
}

export function ListPage<T>(props: ListPageProps<T>) {
  const { view, list, columns } = props;
  const { t } = useTranslation();
  const titles = usePaginationTitles();
  const [hidden, setHidden] = usePreference<string[]>(
    `columns.${props.id}`,
    columns.filter((column) => column.isHidden).map((column) => column.key),
  );
  const [compact, setCompact] = usePreference(`compact.${props.id}`, false);
  const [chosen, setChosen] = useState<ReadonlyMap<string, T>>(new Map());
  const shown = columns.filter((column) => !hidden.includes(column.key));
  const isEmpty = !list.isLoading && list.total === 0 && list.items.length === 0 && !list.error;
  const body = () => {
    if (list.error && list.items.length === 0) return <Problem error={list.error} retry={list.refetch} />;
    if (isEmpty) return <Nothing {...props} />;
    return (
      <ListTable
        label={props.title}
        columns={shown}
        list={list}
        view={view}
        rowKey={props.rowKey}
        nameOf={props.nameOf}
        actions={props.actions}
        isCompact={compact}
        choosing={props.bulk && { chosen, onChoose: setChosen }}
      />
    );
  };
  const pages = (isBottom: boolean) => (
    <Pagination
      isCompact={!isBottom}
      variant={isBottom ? 'bottom' : 'top'}
      itemCount={list.total}
      page={view.page}
      perPage={view.limit}
      titles={titles}
      perPageOptions={[20, 50, 100].map((value) => ({ title: String(value), value }))}
      onSetPage={(_, page) => view.setPage(page)}
      onPerPageSelect={(_, limit) => view.setLimit(limit)}
      widgetId={`${props.id}-${isBottom ? 'bottom' : 'top'}`}
    />
  );
  return (
    <>
      {!props.embedded && <ListHeading {...props} />}
      <PageSection
        hasBodyWrapper={false}
        isFilled
        padding={{ default: props.embedded ? 'noPadding' : 'padding' }}
      >
        {props.notice}
        {!(isEmpty && !view.narrowed) && (
          <ListToolbar
            id={props.id}
            view={view}
            list={list}
            filters={props.filters}
            searchHint={props.searchHint}
            columns={columns}
            hidden={hidden}
            onHide={setHidden}
            compact={compact}
            onCompact={setCompact}
            pagination={pages(false)}
            primary={props.embedded ? props.primary : undefined}
            bulk={props.bulk?.map((action) => ({
              ...action,
              run: () => {
                action.run([...chosen.values()]);
                setChosen(new Map());
              },
            }))}
            chosen={chosen.size}
          />
        )}
        {body()}
        {list.total > view.limit && pages(true)}
      </PageSection>
      <span className="pf-v6-screen-reader" role="status">
        {!list.isLoading && t('list.total', { count: list.total })}
      </span>
    </>
  );
}

function ListHeading<T>({ title, about, list, primary }: ListPageProps<T>) {
  useTitle(title);
  return (
    <PageSection hasBodyWrapper={false} className="ks-heading">
      <div className="ks-heading-row">
        <Title headingLevel="h1">
          {title}
          {list.total > 0 && <span className="ks-count">{list.total}</span>}
        </Title>
        {primary && (
          <Button variant="primary" onClick={primary.onClick}>
            {primary.label}
          </Button>
        )}
      </div>
      {about && <Content component="p">{about}</Content>}
    </PageSection>
  );
}

function Nothing<T>({ view, empty, primary }: ListPageProps<T>) {
  const { t } = useTranslation();
  if (view.narrowed) {
    return (
      <EmptyState titleText={t('list.noMatchTitle')} icon={SearchIcon} headingLevel="h2">
        <EmptyStateBody>{t('list.noMatchBody')}</EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button variant="link" onClick={view.clear}>
              {t('actions.clearFilters')}
            </Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    );
  }
  return (
    <EmptyState titleText={empty.title} icon={empty.icon ?? CubesIcon} headingLevel="h2">
      <EmptyStateBody>{empty.body}</EmptyStateBody>
      {primary && (
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button variant="primary" onClick={primary.onClick}>
              {primary.label}
            </Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      )}
    </EmptyState>
  );
}
