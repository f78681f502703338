/** What pages ask: the cache of answers, and hooks over it. */
import { keepPreviousData, QueryClient, useQuery } from '@tanstack/react-query';
import { get } from './client';
import { ApiError } from './errors';
import type { Page } from './objects';
import { type ListQuery, listParameters } from './paths';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => error instanceof ApiError && error.passes && error.status !== 429 && count < 2,
      retryDelay: (count) => Math.min(500 * 2 ** count, 4_000),
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});

/** One answer by its path. */
export function useGet<T>(path: string, options: { enabled?: boolean; refetchInterval?: number } = {}) {
  return useQuery<T, ApiError>({
    queryKey: [path],
    queryFn: ({ signal }) => get<T>(path, signal),
    ...options,
  });
}

export interface ListState<T> {
  items: T[];
  total: number;
  isLoading: boolean;
  isFetching: boolean;
  error: ApiError | null;
  /** When the items were last known to be current, in milliseconds since 1970. */
  updatedAt: number;
  refetch: () => void;
}

/** A page of the list at `path`; the page before stays until the next one is there. */
export function useList<T>(path: string, query: ListQuery, refetchInterval = 15_000): ListState<T> {
  const parameters = listParameters(query);
  const found = useQuery<Page<T>, ApiError>({
    queryKey: [path, parameters],
    queryFn: ({ signal }) => get<Page<T>>(parameters ? `${path}?${parameters}` : path, signal),
    placeholderData: keepPreviousData,
    refetchInterval,
  });
  return {
    items: found.data?.items ?? [],
    total: found.data?.total_count ?? 0,
    isLoading: found.isPending,
    isFetching: found.isFetching,
    error: found.error,
    updatedAt: found.dataUpdatedAt,
    refetch: () => void found.refetch(),
  };
}

/** Forgets what no page shows: after a fault, what a page knew may be what it failed at. */
export function forgetUnused(): void {
  queryClient.removeQueries({ type: 'inactive' });
}

/** Has every answer below `path` be asked for again. */
export function refresh(...paths: string[]): Promise<void> {
  return queryClient.invalidateQueries({
    predicate: (query) => paths.some((path) => String(query.queryKey[0]).startsWith(path)),
  });
}
