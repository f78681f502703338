/** Lists and objects that stay current while somebody looks at them. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type LivePage, type LiveState, live } from './live';
import type { KubeObject } from './objects';
import { type ListQuery, listParameters, resourcesPath } from './paths';
import { type ListState, useList } from './queries';

const POLL_MS = 10_000;
/** Asked for now and then even so: a page that was told nothing is as it was for a minute at most. */
const LOOK_AGAIN_MS = 60_000;
/** Read as the caller, so the service keeps none of them to watch. */
const NOT_WATCHED = new Set(['secrets', 'serviceaccounts']);

export interface LiveList<T> extends ListState<T> {
  /** Whether changes are told as they happen; otherwise the list is asked for again from time to time. */
  live: LiveState;
}

/** A page of a project's objects of a kind. */
export function useLiveList<T extends KubeObject>(
  resource: string,
  namespace: string,
  query: ListQuery,
): LiveList<T> {
  const path = resourcesPath(resource, namespace);
  const parameters = listParameters(query);
  const watched = !NOT_WATCHED.has(resource);
  const state = useLivePage<T>(path, resource, namespace, parameters, watched);
  const list = useList<T>(path, query, state === 'live' ? LOOK_AGAIN_MS : POLL_MS);
  return { ...list, live: state };
}

/** The latest of one object, and whether it is gone. */
export function useLiveObject<T extends KubeObject>(resource: string, namespace: string, name: string) {
  const list = useLiveList<T>(resource, namespace, { conditions: { 'name=': name }, limit: 1 });
  return { object: list.items[0], isGone: !list.isLoading && !list.error && list.total === 0, ...list };
}

function useLivePage<T extends KubeObject>(
  path: string,
  resource: string,
  namespace: string,
  query: string,
  watched: boolean,
): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  useEffect(() => {
    if (!watched) {
      setState('refused');
      return;
    }
    return live.watch<T>(
      { resource, namespace, query },
      { page: (page: LivePage<T>) => client.setQueryData([path, query], page), state: setState },
    );
  }, [client, path, resource, namespace, query, watched]);
  return state;
}
