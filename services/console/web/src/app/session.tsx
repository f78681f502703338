/** Who is signed in and what the platform has, for every page. */
import { createContext, use } from 'react';
import type { Permission, Profile } from '@/api/client';

export interface RuntimeConfig {
  title: string;
  version: string;
  links: { title: string; url: string }[];
  languages: string[];
  /** Whether each component is there, as far as is known. */
  components: Record<string, boolean>;
}

export const ConfigContext = createContext<RuntimeConfig | null>(null);
export const ProfileContext = createContext<Profile | null>(null);

export function useConfig(): RuntimeConfig {
  const config = use(ConfigContext);
  if (!config) throw new Error('useConfig outside of the application');
  return config;
}

/** The profile of who is signed in; only below the shell. */
export function useProfile(): Profile {
  const profile = use(ProfileContext);
  if (!profile) throw new Error('useProfile outside of the shell');
  return profile;
}

/** Whether `rules` hold `action` on `name`. `manage` includes the others. */
export function allows(rules: readonly Permission[] | undefined, name: string, action: string): boolean {
  const actions = rules?.find((rule) => rule.name === name)?.actions ?? [];
  return actions.includes(action) || actions.includes('manage');
}

/** Whether who is signed in may do this in the whole platform. */
export function useMay(): (name: string, action: string) => boolean {
  const profile = useProfile();
  return (name, action) => allows(profile.cluster_rules, name, action);
}
