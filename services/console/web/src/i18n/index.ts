/** The words of the application, in English and Chinese; a language is loaded when it is chosen. */
import i18next, { type ResourceLanguage } from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Words } from './en';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'words';
    resources: { words: Words };
  }
}

export const LANGUAGES = { en: 'English', zh: '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'ks.language';
const load = {
  en: () => import('./en').then((module) => module.en),
  zh: () => import('./zh').then((module) => module.zh),
};

/** Of the `offered`, the one that was chosen, or that the browser prefers, or else the first. */
export function preferredLanguage(offered: readonly string[], wishes = wanted()): Language {
  const known = offered.filter((each): each is Language => each in LANGUAGES);
  const short = wishes.map((wish) => wish.slice(0, 2).toLowerCase());
  return (
    known.find((each) => each === short.find((wish) => known.includes(wish as Language))) ?? known[0] ?? 'en'
  );
}

function wanted(): string[] {
  const kept = localStorage.getItem(KEY);
  return kept ? [kept, ...navigator.languages] : [...navigator.languages];
}

export async function startWords(language: Language): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    ns: ['words'],
    defaultNS: 'words',
    interpolation: { escapeValue: false },
    resources: { [language]: { words: (await load[language]()) as ResourceLanguage } },
  });
  document.documentElement.lang = language;
}

export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  i18next.addResourceBundle(language, 'words', await load[language]());
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
