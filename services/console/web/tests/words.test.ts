import { describe, expect, it } from 'vitest';
import { ago } from '@/app/ago';
import { preferredLanguage } from '@/i18n';
import { en } from '@/i18n/en';
import { zh } from '@/i18n/zh';

type Tree = { [key: string]: string | Tree };

function texts(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [[`${path}${key}`, value] as [string, string]]
      : texts(value, `${path}${key}.`),
  );
}

const holes = (text: string) => new Set([...text.matchAll(/{{(\w+)}}/g)].map((match) => match[1]));

/** A language has the plural forms that it needs. */
const keys = (tree: unknown) => new Set(texts(tree as Tree).map(([key]) => key.replace(/_(one|other)$/, '')));

describe('the words', () => {
  const english = new Map(texts(en as Tree));

  it('are the same in both languages', () => expect(keys(zh)).toEqual(keys(en)));

  it.each(texts(zh as unknown as Tree))(
    '%s are there in both languages, with the same values',
    (key, text) => {
      expect(text).not.toBe('');
      expect(holes(text)).toEqual(holes(english.get(key) ?? ''));
    },
  );
});

describe('the language', () => {
  it.each([
    [['en', 'zh'], ['zh-CN', 'en'], 'zh'],
    [['en', 'zh'], ['de', 'zh'], 'zh'],
    [['zh', 'en'], ['de'], 'zh'],
    [['en'], ['zh'], 'en'],
    [['xx'], ['zh'], 'en'],
  ])('of %j for who prefers %j is %s', (offered, wishes, language) => {
    expect(preferredLanguage(offered, wishes)).toBe(language);
  });
});

describe('how long ago', () => {
  const now = Date.parse('2026-01-10T12:00:00Z');

  it.each([
    ['2026-01-10T11:59:30Z', '30 seconds ago'],
    ['2026-01-10T09:00:00Z', '3 hours ago'],
    ['2026-01-09T11:00:00Z', 'yesterday'],
    ['', ''],
    ['nonsense', ''],
  ])('%s was: %s', (moment, words) => {
    expect(ago(moment, 'en', now)).toBe(words);
  });
});
