/** What was done and what failed: shown for a while in the corner, and kept in the drawer for this visit. */
import { useSyncExternalStore } from 'react';
import { problemText } from './errors';

export interface Notice {
  id: number;
  variant: 'success' | 'danger' | 'warning' | 'info';
  title: string;
  body?: string;
  when: number;
  read: boolean;
}

const MOST = 50;
let notices: readonly Notice[] = [];
let serial = 0;
const listeners = new Set<() => void>();

function change(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

export function notify(variant: Notice['variant'], title: string, body?: string): void {
  change([{ id: ++serial, variant, title, body, when: Date.now(), read: false }, ...notices].slice(0, MOST));
}

/** Tells of an error, with the request's identifier where there is one. */
export function notifyError(title: string, error: unknown): void {
  notify('danger', title, problemText(error));
}

export function markRead(id?: number): void {
  change(notices.map((each) => (id === undefined || each.id === id ? { ...each, read: true } : each)));
}

export function clearNotices(): void {
  change([]);
}

export function useNotices(): readonly Notice[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notices,
  );
}
