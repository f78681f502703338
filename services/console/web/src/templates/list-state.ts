/** What a list shows, as the address of the page says it. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { ListQuery } from '@/api/paths';
import { type UrlState, useUrlState } from '@/app/url-state';

export const PAGE_SIZES = [20, 50, 100];

export interface ListView {
  /** What is searched for. */
  search: string;
  /** The value of each filter that is set, by its key. */
  filters: Record<string, string>;
  sort: string;
  descending: boolean;
  page: number;
  limit: number;
}

export interface ListDefaults {
  filters?: readonly string[];
  sort?: string;
  descending?: boolean;
}

/** Reads a view from the address; what makes no sense there counts as not said. */
export function readView(state: UrlState, defaults: ListDefaults): ListView {
  const sort = state.sort ?? '';
  const page = Number(state.page ?? 1);
  const limit = Number(state.limit ?? PAGE_SIZES[0]);
  return {
    search: state.q ?? '',
    filters: Object.fromEntries((defaults.filters ?? []).map((key) => [key, state[key] ?? ''])),
    sort: sort.replace(/^-/, '') || (defaults.sort ?? ''),
    descending: sort ? sort.startsWith('-') : (defaults.descending ?? false),
    page: Number.isInteger(page) && page > 0 ? page : 1,
    limit: PAGE_SIZES.includes(limit) ? limit : (PAGE_SIZES[0] as number),
  };
}

export interface ListControls extends ListView {
  setSearch: (text: string) => void;
  setFilter: (key: string, value: string) => void;
  setSort: (key: string, descending: boolean) => void;
  setPage: (page: number) => void;
  setLimit: (limit: number) => void;
  clear: () => void;
  /** Whether something narrows the list. */
  narrowed: boolean;
}

export function useListView(defaults: ListDefaults = {}): ListControls {
  const [state, set] = useUrlState();
  const view = useMemo(() => readView(state, defaults), [state, defaults]);
  const change = useCallback(
    (changes: UrlState, push = true) => set({ page: '', ...changes }, { push }),
    [set],
  );
  const cleared = Object.fromEntries((defaults.filters ?? []).map((key) => [key, '']));
  return {
    ...view,
    setSearch: (q) => change({ q }, false),
    setFilter: (key, value) => change({ [key]: value }),
    setSort: (key, descending) => change({ sort: descending ? `-${key}` : key }),
    setPage: (page) => set({ page: page > 1 ? String(page) : '' }, { push: true }),
    setLimit: (limit) => change({ limit: String(limit) }),
    clear: () => change({ q: '', ...cleared }),
    narrowed: view.search !== '' || Object.values(view.filters).some((value) => value !== ''),
  };
}

/** The view as the services are asked for it. `searchKey` is the condition that is searched by. */
export function toQuery(view: ListView, searchKey = 'name~'): ListQuery {
  return {
    conditions: { [searchKey]: view.search, ...view.filters },
    orderBy: view.sort || undefined,
    reverse: view.descending,
    page: view.page,
    limit: view.limit,
  };
}

/** `value`, once it has not changed for `ms`. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
