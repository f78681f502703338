/** Has what depends on the time rendered anew as it goes on: all at once, and nothing while nobody looks. */
import { useSyncExternalStore } from 'react';

const EVERY_MS = 5_000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, EVERY_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const steps = () => Math.floor(Date.now() / EVERY_MS);

/** Renders its caller anew every few seconds. */
export function useClock(): void {
  useSyncExternalStore(subscribe, steps);
}
