/** What the browser's tab and its history call a page. */
import { useEffect } from 'react';
import { useConfig } from './session';

export function useTitle(page: string): void {
  const { title } = useConfig();
  useEffect(() => {
    document.title = `${page} · ${title}`;
  }, [page, title]);
}
