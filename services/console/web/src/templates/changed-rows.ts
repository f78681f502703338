/** Which rows are new or other than a moment ago, so that a change is seen without being searched for. */
import { startTransition, useEffect, useRef, useState } from 'react';

const SHOWN_MS = 1500;

export function useChangedRows<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlySet<string> {
  const before = useRef<Map<string, T> | null>(null);
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  const key = useRef(keyOf);
  key.current = keyOf;
  useEffect(() => {
    if (items.length === 0) return;
    const now = new Map(items.map((item) => [key.current(item), item]));
    const found = before.current ? differing(before.current, now) : new Set<string>();
    before.current = now;
    if (found.size === 0) return;
    const show = (keys: ReadonlySet<string>) => startTransition(() => setChanged(keys));
    show(found);
    const timer = setTimeout(() => show(new Set()), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [items]);
  return changed;
}

/** Keys of `now` that `before` lacks or has otherwise; none where the two are different pages altogether. */
export function differing<T>(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): Set<string> {
  const kept = [...now.keys()].filter((key) => before.has(key)).length;
  if (kept * 2 < now.size) return new Set();
  return new Set([...now].filter(([key, item]) => before.get(key) !== item).map(([key]) => key));
}
