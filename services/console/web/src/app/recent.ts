/** Where somebody was lately, kept in this browser, to be led back to first. */
const KEY = 'ks.recent';
const MOST = 12;

/** The addresses that were visited last, the latest first. */
export function recentPaths(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

export function remember(path: string): void {
  if (path === '/' || path.startsWith('/login')) return;
  const next = [path, ...recentPaths().filter((each) => each !== path)].slice(0, MOST);
  localStorage.setItem(KEY, JSON.stringify(next));
}
