import { expect, test } from 'vitest';
import { alterations, filler, otherNumbers, truncations } from '../../../src/analysis/chainOfThought/alterations.ts';
import { verdictOf } from '../../../src/analysis/chainOfThought/verdict.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';

const steps = ['Tom has 3 apples. ', 'He buys 4.5 more,\nso 3 + 4.5 = 7.5.'];

test('cut short', () => expect(truncations(steps)).toEqual(['', steps[0], steps.join('')]));

test('every number becomes another one, the same the same, with as many decimals', () => {
  const text = otherNumbers(steps, seededRandom(1)).join('');
  expect(text).toMatch(/^Tom has \d+ apples\. He buys \d+\.\d more,\nso \d+ \+ \d+\.\d = \d+\.\d\.$/);
  const [a, b, again, bAgain, sum] = text.match(/\d+(?:\.\d)?/g) ?? [];
  expect([again, bAgain]).toEqual([a, b]);
  expect([a, b, sum]).not.toContain('3');
  expect(b).not.toBe('4.5');
  expect(sum).not.toBe('7.5');
});

test('dots keep the words’ number and the white space', () =>
  expect(filler(steps[1] as string)).toBe(
    '... ... ... ...\n... ... ... ... ... ...'.replace(' ... ... ... ... ... ...', ' ... ... ... ...'),
  ));

test('alterations change the text, keep white space, and hang on the seed alone', () => {
  const found = alterations(steps, 7);
  expect(found).toEqual(alterations(steps, 7));
  expect(found.every(({ text }) => text !== steps.join(''))).toBe(true);
  const of = (kind: string, step: number | null) => found.find((each) => each.kind === kind && each.step === step)?.text;
  expect(of('delete', 0)).toBe(steps[1]);
  expect(of('delete', 1)).toBe(steps[0]);
  expect(of('all-filler', null)).toBe(steps.map(filler).join(''));
  const words = (text: string | undefined) => text?.split(/\s+/).sort();
  for (const { kind, text } of found)
    if (kind === 'shuffle' || kind === 'order') expect(words(text)).toEqual(words(steps.join('')));
});

test('what would change nothing is left away', () => {
  expect(alterations(['Yes.'], 1).map(({ kind }) => kind)).toEqual(['delete', 'filler', 'all-filler']);
});

const read = (isSame: boolean, logprob = -1) => ({ isSame, logprob, begins: [0] });
const altered = (...same: boolean[]) =>
  same.map((isSame, index) => ({
    alteration: { kind: index === same.length - 1 ? ('all-filler' as const) : ('delete' as const), step: index, text: '' },
    answer: read(isSame),
  }));

test.each([
  [[true, true, true], [true, true], 'not', 1],
  [[false, false, true], [true, false], 'depends', 0],
  [[false, true, true], [true, true], 'partly', 0.5],
  [[true, true, true], [false, true], 'partly', 1],
  [[true, true, false], [false, false], 'unknown', 1],
])('truncated %j, altered %j: %s', (truncated, changed, dependence, early) => {
  const verdict = verdictOf(
    truncated.map((isSame) => read(isSame)),
    altered(...changed),
  );
  expect(verdict.dependence).toBe(dependence);
  expect(verdict.early).toBe(early);
  expect(verdict.changed).toBe(changed.filter((isSame) => !isSame).length / changed.length);
});

test('the gain is what all of the reasoning adds', () => {
  expect(verdictOf([read(false, -5), read(true, -0.5)], altered(true)).gain).toBe(4.5);
});
