/** Permissions of several roles, side by side. */
import type { Permission } from '@/api/client';

/** The permissions of all roles together, each with its actions, in the order in which they are met. */
export function permissionsOf(roles: readonly { rules?: Permission[] }[]): Permission[] {
  const actions = new Map<string, Set<string>>();
  for (const rule of roles.flatMap((role) => role.rules ?? [])) {
    const known = actions.get(rule.name) ?? new Set();
    for (const action of rule.actions) known.add(action);
    actions.set(rule.name, known);
  }
  return [...actions].map(([name, found]) => ({ name, actions: [...found].sort() }));
}
