/** The state of a page lives in the address: reload, back and a link that is sent to somebody all work. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type UrlState = Record<string, string>;

/** `a=1&b=x` as flat texts; an empty text is as good as none. */
export function parseSearch(search: string): UrlState {
  return Object.fromEntries([...new URLSearchParams(search)].filter(([, value]) => value !== ''));
}

export function stringifySearch(state: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (value !== undefined && value !== '') parameters.set(key, String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : '';
}

/**
 * The search parameters, and a setter that changes some of them ('' removes one). Typing replaces the entry of
 * the history; what one would want to go back from is pushed.
 */
export function useUrlState(): [UrlState, (changes: UrlState, options?: { push?: boolean }) => void] {
  const state = useSearch({ strict: false }) as UrlState;
  const navigate = useNavigate();
  const set = useCallback(
    (changes: UrlState, options: { push?: boolean } = {}) => {
      void navigate({
        to: '.',
        search: (before: UrlState) => withChanges(before, changes),
        replace: !options.push,
        resetScroll: false,
      } as never);
    },
    [navigate],
  );
  return [state, set];
}

export function withChanges(before: UrlState, changes: UrlState): UrlState {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== ''));
}
