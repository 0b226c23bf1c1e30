import { describe, expect, test } from 'vitest';
import { exactShapley } from '../../../src/attribution/shapley/exactShapley.ts';
import { owenValues, twoHalves } from '../../../src/attribution/shapley/owenValues.ts';
import { partitionShapley } from '../../../src/attribution/shapley/partitionShapley.ts';
import { type UnitTree, unitTree } from '../../../src/attribution/unitTree.ts';
import { maximumDifference } from '../../llama/golden.ts';
import { inputFor } from '../attributionInput.ts';
import { createLinearModel } from '../linearModel.ts';
import { meanGains, orders, tangled, type Worth, worthOf } from './permutationOracle.ts';

const model = createLinearModel();
const text = 'The cat sat.\n\nA dog is on the mat. It sat.';

type Nested = number | readonly Nested[];
function tree(nested: Nested): UnitTree {
  if (typeof nested === 'number') return { members: [nested], children: [] };
  const children = nested.map(tree);
  return { members: children.flatMap((child) => child.members), children };
}

/** Every order in which each group arrives in one piece, halves in either order: the definition, spelled out. */
function groupedOrders(group: UnitTree): number[][] {
  if (group.members.length < 2) return [[...group.members]];
  const [first, second] = twoHalves(group).map(groupedOrders) as [number[][], number[][]];
  return first.flatMap((a) =>
    second.flatMap((b) => [
      [...a, ...b],
      [...b, ...a],
    ]),
  );
}

function owen(nested: UnitTree, worth: Worth, budget = 1000) {
  const players = nested.members.length;
  const of = (coalition: Uint8Array) => worth([...coalition].map((present) => present === 1));
  const asked: string[] = [];
  const values = owenValues(nested, {
    players,
    budget,
    none: of(new Uint8Array(players)),
    all: of(new Uint8Array(players).fill(1)),
    worth: (coalitions) => {
      asked.push(...coalitions.map((coalition) => coalition.join('')));
      return Promise.resolve(coalitions.map(of));
    },
  });
  return { values, asked };
}

describe('a synthetic game, by every grouped order', () => {
  const trees: Nested[] = [
    [
      [0, 1],
      [2, 3],
      [4, 5],
    ],
    [[0, 1, 2, 3], 4, 5],
    [0, [1, [2, [3, [4, 5]]]]],
    [0, 1, 2, 3, 4, 5],
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
  ];
  test.each(trees.map((nested) => [JSON.stringify(nested), tree(nested)] as const))('%s', async (_name, nested) => {
    const { values, asked } = owen(nested, tangled);
    expect(maximumDifference(await values, meanGains(6, groupedOrders(nested), tangled))).toBeLessThan(1e-12);
    expect(new Set(asked).size).toBe(asked.length);
  });

  test('is not the Shapley value, unless every group has one member', async () => {
    const shapley = meanGains(6, orders([0, 1, 2, 3, 4, 5]), tangled);
    const [nested] = [
      tree([
        [0, 1],
        [2, 3],
        [4, 5],
      ]),
    ];
    expect(maximumDifference(await owen(nested, tangled).values, shapley)).toBeGreaterThan(0.1);
    expect(maximumDifference(await owen(tree([0, 1]), tangled).values, meanGains(2, orders([0, 1]), tangled))).toBeLessThan(
      1e-12,
    );
  });

  test.each([0, 2, 4, 6, 7, 10, 20])('adds up with a budget of %i, which is kept', async (budget) => {
    const { values, asked } = owen(
      tree([
        [0, 1, 2],
        [3, [4, 5]],
      ]),
      tangled,
      budget,
    );
    const all = tangled(Array<boolean>(6).fill(true));
    expect((await values).reduce((sum, value) => sum + value, 0)).toBeCloseTo(all - tangled([]), 12);
    expect(asked.length).toBeLessThanOrEqual(budget);
  });

  test('without a budget all share equally; a small one goes where most happens', async () => {
    const worth: Worth = (present) => (present[6] === true ? 8 : 0) + (present[0] === true ? 1 : 0);
    const nested = tree([
      [
        [0, 1],
        [2, 3],
      ],
      [
        [4, 5],
        [6, 7],
      ],
    ]);
    expect([...(await owen(nested, worth, 0).values)]).toEqual(Array(8).fill(9 / 8));
    const values = await owen(nested, worth, 40).values;
    expect(maximumDifference(values, [1, 0, 0, 0, 0, 0, 8, 0])).toBeLessThan(1e-12);
  });
});

describe('on a model', () => {
  test('the words of two paragraphs', async () => {
    const groups = [[0], [1, 2, 3, 4], [5, 6], [7, 8, 9, 10]];
    const input = await inputFor(model, {
      text: 'The cat sat on',
      groups: groups.map((group) => group.filter((token) => token < 4)).filter((group) => group.length > 0),
      score: 'prob',
    });
    const worth = await worthOf(input, [...input.units.keys()]);
    const nested = unitTree(input, [...input.units.keys()]);
    const { scores, completeness, warnings } = await partitionShapley.attribute(input);
    expect(maximumDifference(scores, meanGains(input.units.length, groupedOrders(nested), worth))).toBeLessThan(1e-6);
    expect(completeness?.gap).toBeCloseTo(0, 6);
    expect(warnings).toEqual([]);
  });

  test('sections are the groups', async () => {
    const input = await inputFor(model, { text, score: 'prob', parameters: { samples: 4096 } });
    // One unit a word, with its true place in the text.
    const words = [...text.matchAll(/\S+/gu)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
      label: match[0],
      kind: 'text' as const,
      tokens: [...input.tokens.keys()].filter((index) => {
        const token = input.tokens[index];
        return token !== undefined && token.end > match.index && token.end <= match.index + match[0].length;
      }),
    }));
    const placed = { ...input, units: words };
    const nested = unitTree(placed, [...words.keys()]);
    expect(nested.children.map((child) => child.members.length)).toEqual([3, 8]);
    const worth = await worthOf(placed, [...words.keys()]);
    const { scores } = await partitionShapley.attribute(placed);
    expect(maximumDifference(scores, meanGains(words.length, groupedOrders(nested), worth))).toBeLessThan(1e-6);
  });

  test('two units are as exact; hidden units stay; no unit, one unit', async () => {
    const kinds = ['special', 'text', 'template', 'text'] as const;
    const input = await inputFor(model, { ids: [9, 12, 40, 7], kinds });
    const [exact, found] = [await exactShapley.attribute(input), await partitionShapley.attribute(input)];
    expect(maximumDifference(found.scores, exact.scores)).toBeLessThan(1e-6);
    expect([found.scores[0], found.scores[2]]).toEqual([0, 0]);
    expect([...(await partitionShapley.attribute(await inputFor(model, { ids: [9], kinds: ['special'] }))).scores]).toEqual([0]);
    const one = await inputFor(model, { ids: [9] });
    expect((await partitionShapley.attribute(one)).scores[0]).toBeCloseTo((await exactShapley.attribute(one)).scores[0] ?? 0, 6);
  });

  test('the budget is the number of prompts; cancelled', async () => {
    const counting = createLinearModel();
    const input = await inputFor(counting, { text, parameters: { samples: 12 } });
    const { completeness } = await partitionShapley.attribute(input);
    expect(counting.calls.variants.length).toBeLessThanOrEqual(14);
    expect(completeness?.gap).toBeCloseTo(0, 5);
    await expect(partitionShapley.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});
