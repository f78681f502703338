/** One line of the navigation. */
import type { ComponentType } from 'react';

export interface NavigationEntry {
  /** The address, with parameters filled in. */
  to: string;
  label: string;
  icon?: ComponentType;
  /** Only at this address itself, not below it. */
  exact?: boolean;
}

export interface NavigationGroup {
  /** Without a title the entries stand by themselves. */
  title?: string;
  entries: NavigationEntry[];
}
