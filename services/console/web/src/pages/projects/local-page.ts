/** A page of what a service answers as a whole. Pure. */
import type { ListView } from '@/templates/list-state';

export function pageOf<T>(
  all: readonly T[],
  view: ListView,
  textOf: (item: T) => string,
): { items: T[]; total: number } {
  const wanted = view.search.toLowerCase();
  const found = wanted ? all.filter((item) => textOf(item).toLowerCase().includes(wanted)) : all;
  return { items: found.slice((view.page - 1) * view.limit, view.page * view.limit), total: found.length };
}
