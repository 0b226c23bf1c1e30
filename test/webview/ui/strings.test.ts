import { expect, test } from 'vitest';
import { insideStrings } from '../../../webview/inside/insideStrings.ts';
import { strings } from '../../../webview/ui/strings.ts';

test.each([
  ['en', 'Run again'],
  ['de', 'Run again'],
  ['', 'Run again'],
  ['zh-cn', '重新运行'],
  ['zh-Hans', '重新运行'],
])('%j', (language, rerun) => expect(strings(language).rerun).toBe(rerun));

/** Every leaf as text, with functions called on their own parameter names. */
function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'function')
    return [String((value as (...args: unknown[]) => unknown)(...Array.from({ length: value.length }, (_, i) => `«${i}»`)))];
  return Object.values(value as object).flatMap(leaves);
}

test.each([
  ['the two panels of an explanation', strings],
  ['the Inside panel', insideStrings],
])('Chinese keeps every argument English shows: %s', (_name, words) => {
  const [english, chinese] = [leaves(words('en')), leaves(words('zh'))];
  expect(chinese.length).toBe(english.length);
  english.forEach((text, index) => {
    const marks = (line: string) => [...new Set(line.match(/«\d»/g) ?? [])].sort();
    expect([text, marks(chinese[index] ?? '')]).toEqual([text, marks(text)]);
  });
});
