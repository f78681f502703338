/** What somebody has set about how things look, kept in this browser. */
import { useCallback, useState } from 'react';

export function usePreference<T>(name: string, initial: T): [T, (value: T) => void] {
  const key = `ks.${name}`;
  const [value, setValue] = useState<T>(() => read(key, initial));
  const keep = useCallback(
    (next: T) => {
      setValue(next);
      localStorage.setItem(key, JSON.stringify(next));
    },
    [key],
  );
  return [value, keep];
}

function read<T>(key: string, initial: T): T {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? initial : (JSON.parse(kept) as T);
  } catch {
    return initial;
  }
}
