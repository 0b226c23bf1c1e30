/** Games whose every set is known, so that brute force is the oracle. */
import { describe, expect, test } from 'vitest';
import { countSets, type FlipSearchProblem, searchFlips } from '../../../src/analysis/counterfactual/flipSearch.ts';
import type { WordEdit } from '../../../src/analysis/counterfactual/wordEdits.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';

/** `choices` edits of each of `words` words. */
function editsOf(words: number, choices: number): WordEdit[] {
  return Array.from({ length: words * choices }, (_, index) => {
    const word = Math.floor(index / choices);
    return { word, start: word, end: word + 1, text: String(index % choices), predicted: 0 };
  });
}

type Value = (set: readonly WordEdit[]) => number;

function problem(edits: readonly WordEdit[], margin: Value, parts: Partial<FlipSearchProblem> = {}, strain: Value = () => 0) {
  const asked: string[] = [];
  return {
    asked,
    edits,
    maxEdits: 3,
    budget: 10_000,
    beam: 4,
    maxStrain: 1,
    margin: margin([]),
    evaluate: (sets: readonly (readonly WordEdit[])[]) => {
      asked.push(...sets.map(nameOf));
      return Promise.resolve(sets.map((set) => ({ margin: margin(set), answer: margin(set) < 0 ? 2 : 1 })));
    },
    strains: (sets: readonly (readonly WordEdit[])[]) => Promise.resolve(sets.map(strain)),
    ...parts,
  };
}

const nameOf = (set: readonly WordEdit[]) => set.map(({ word, text }) => `${word}${text}`).join(' ');

function allSets(edits: readonly WordEdit[], size: number): WordEdit[][] {
  const subsets = Array.from({ length: 2 ** edits.length }, (_, bits) => edits.filter((_edit, index) => (bits >> index) & 1));
  return subsets.filter((set) => set.length === size && new Set(set.map(({ word }) => word)).size === size);
}

/** An additive game with interactions, the same for the same seed. */
function randomGame(edits: readonly WordEdit[], seed: number): Value {
  const random = seededRandom(seed);
  const single = new Map(edits.map((edit) => [edit, random() * 1.2 - 0.3]));
  const pair = edits.map(() => edits.map(() => (random() < 0.1 ? random() * 2 : 0)));
  return (set) => {
    let value = 2;
    for (const edit of set) value -= single.get(edit) ?? 0;
    for (const a of set) for (const b of set) if (a.word < b.word) value -= pair[edits.indexOf(a)]?.[edits.indexOf(b)] ?? 0;
    return value;
  };
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('random game %i', (seed) => {
  const edits = editsOf(6, 2);
  const margin = randomGame(edits, seed);

  test('the sets found are those of brute force', async () => {
    const { flips, isExhaustive, trials } = await searchFlips(problem(edits, margin));
    const smallest = [1, 2, 3].find((size) => allSets(edits, size).some((set) => margin(set) < 0));
    expect(flips[0]?.edits.length).toBe(smallest);
    expect(isExhaustive).toBe(true);
    for (const { edits: set, isMinimal } of flips) {
      expect(margin(set)).toBeLessThan(0);
      expect(isMinimal).toBe(true);
    }
    for (const trial of trials) expect(trial.margin).toBe(margin(trial.edits));
  });
});

test('the number of sets is that of listing them', () => {
  const edits = [...editsOf(4, 2), ...editsOf(2, 1).map((edit) => ({ ...edit, word: edit.word + 4 }))];
  for (const size of [1, 2, 3, 4]) expect(countSets(edits, size)).toBe(allSets(edits, size).length);
});

test('a small budget follows a beam, keeps to the budget, and says that it did not try everything', async () => {
  const edits = editsOf(12, 1);
  // Words 3, 7 and 9 together flip; each alone lowers the margin a little.
  const margin: Value = (set) => 2.5 - set.filter(({ word }) => [3, 7, 9].includes(word)).length;
  const search = problem(edits, margin, { budget: 60 });
  const { flips, isExhaustive, levels } = await searchFlips(search);
  expect(nameOf(flips[0]?.edits ?? [])).toBe('30 70 90');
  expect(flips[0]?.isMinimal).toBe(true);
  expect(isExhaustive).toBe(false);
  expect(levels[1]).toMatchObject({ size: 2, possible: 66 });
  expect(search.asked.length).toBeLessThanOrEqual(60 + 6);
  expect(new Set(search.asked).size).toBe(search.asked.length);
});

test('no flip within the budget is an outcome', async () => {
  const { flips, strained, levels } = await searchFlips(problem(editsOf(4, 1), () => 1));
  expect(flips).toEqual([]);
  expect(strained).toEqual([]);
  expect(levels.map(({ size, tried }) => [size, tried])).toEqual([
    [1, 4],
    [2, 6],
    [3, 4],
  ]);
});

test('what reads too badly does not count, and a set whose part flips so is not called minimal', async () => {
  const edits = editsOf(3, 1);
  const margin: Value = (set) => (set.some(({ word }) => word === 0) ? -1 : 1);
  const strain: Value = (set) => (set.length === 1 ? 5 : set.some(({ word }) => word === 1) ? 0.2 : 2);
  const { flips, strained } = await searchFlips(problem(edits, margin, {}, strain));
  expect(flips.map(({ edits: set, isMinimal }) => [nameOf(set), isMinimal])).toEqual([['00 10', false]]);
  expect(strained.map(({ edits: set }) => nameOf(set))).toEqual(['00 20', '00']);
});
