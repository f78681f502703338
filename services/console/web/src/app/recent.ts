/** Where somebody was lately, kept in this browser, to be led back to first. */
import { placeOf } from './navigation/place';

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

/** The projects that were visited last, the latest first. */
export function recentProjects(): { workspace: string; project: string }[] {
  const places = recentPaths()
    .map(placeOf)
    .filter((place) => place.project !== '');
  return places.filter(
    (place, index) => places.findIndex((each) => each.project === place.project) === index,
  );
}
