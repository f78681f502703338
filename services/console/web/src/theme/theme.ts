/** Dark and light, by PatternFly's own class; `system` follows the browser. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'ks.theme';
const dark = () => window.matchMedia('(prefers-color-scheme: dark)');

export function chosenTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function isDark(theme: Theme = chosenTheme()): boolean {
  return theme === 'dark' || (theme === 'system' && dark().matches);
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  apply();
}

/** Applies what was chosen, now and whenever the system changes its mind. */
export function startTheme(): void {
  apply();
  dark().addEventListener('change', apply);
}

function apply(): void {
  document.documentElement.classList.toggle('pf-v6-theme-dark', isDark());
  window.dispatchEvent(new CustomEvent('ks-theme'));
}
