import { describe, expect, test } from 'vitest';
import type { Coalition, Game } from '../../../src/attribution/game.ts';
import { exactShapley } from '../../../src/attribution/shapley/exactShapley.ts';
import { drawCoalitions, kernelShap, kernelShapValues } from '../../../src/attribution/shapley/kernelShap.ts';
import { owenValues, type Partition, partitionTree } from '../../../src/attribution/shapley/partitionShapley.ts';
import { partitionShapley } from '../../../src/attribution/shapley/partitionShapley.ts';
import { permutationShapley, sampledShapley } from '../../../src/attribution/shapley/permutationShapley.ts';
import { shapleyValues } from '../../../src/attribution/shapley/shapleyValues.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { goldenGame, goldenTable, libraryScores } from '../goldenTable.ts';
import { inputFor } from '../attributionInput.ts';
import { createLinearModel, weight } from '../linearModel.ts';

/** A game that is a table of random worths; counts what it is asked. */
function tableGame(size: number, seed: number): Game & { readonly table: Float64Array; readonly asked: string[] } {
  const random = seededRandom(seed);
  const table = Float64Array.from({ length: 2 ** size }, () => 10 * random() - 5);
  const asked: string[] = [];
  return {
    size,
    table,
    asked,
    values: (coalitions) => {
      asked.push(...coalitions.map((coalition) => coalition.join('')));
      return Promise.resolve(Float64Array.from(coalitions, (coalition) => table[bitsOf(coalition)] as number));
    },
  };
}

function bitsOf(coalition: Coalition): number {
  return coalition.reduce((bits, present, player) => bits + present * 2 ** player, 0);
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

/** Mean of what each player adds, over the given orders: the definition. */
function meanOverOrders(table: ArrayLike<number>, size: number, orders: readonly (readonly number[])[]): number[] {
  const sums = new Array<number>(size).fill(0);
  for (const order of orders) {
    let bits = 0;
    for (const player of order) {
      sums[player] = (sums[player] ?? 0) + ((table[bits + 2 ** player] as number) - (table[bits] as number));
      bits += 2 ** player;
    }
  }
  return sums.map((sum) => sum / orders.length);
}

const everyone = (size: number) => Array.from({ length: size }, (_, player) => player);

function near(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs((actual[index] as number) - value)).toBeLessThanOrEqual(tolerance);
  });
}

describe('exact', () => {
  test.each([1, 2, 3, 5, 6])('%i players: the mean over all orders', (size) => {
    const { table } = tableGame(size, size);
    near(shapleyValues(table, size), meanOverOrders(table, size, permutations(everyone(size))), 1e-10);
  });

  test.each(['fact', 'ioi'])('golden %s', (name) => {
    const { values, units } = goldenTable(name);
    near(shapleyValues(values, units.length), libraryScores(name)['exact'] as unknown as number[], 1e-5);
  });

  test.each(['fact', 'ioi'])('the method on golden %s as a model; efficiency', async (name) => {
    const { input, values } = goldenGame(name);
    const result = await exactShapley.attribute(await input({}));
    near(result.scores, libraryScores(name)['exact'] as unknown as number[], 1e-5);
    const expected = (values.at(-1) as number) - (values[0] as number);
    expect(result.completeness?.sum).toBeCloseTo(expected, 5);
    expect(result.completeness?.expected).toBeCloseTo(expected, 5);
  });

  test('a linear logit gives each token its own weight', async () => {
    const model = createLinearModel();
    const input = await inputFor(model, { text: 'The cat sat', spec: { kind: 'id', id: 50 } });
    const { scores } = await exactShapley.attribute(input);
    // Without any token the model reads an empty prompt, which has a weight of its own: it goes to whoever joins first.
    const shared = weight(0, 50) / input.tokens.length;
    near(
      scores,
      input.tokens.map(({ id }) => weight(id, 50) - shared),
      1e-5,
    );
  });

  test('thirteen units are refused before anything runs', async () => {
    const model = createLinearModel();
    const input = await inputFor(model, { text: 'abcdefghijklm' });
    const before = model.calls.variants.length;
    await expect(exactShapley.attribute(input)).rejects.toMatchObject({ code: 'E_TOO_MANY_UNITS' });
    expect(model.calls.variants.length).toBe(before);
  });
});

describe('KernelSHAP', () => {
  test.each([2, 3, 5, 7])('%i players, all coalitions: exact', async (size) => {
    const game = tableGame(size, 10 + size);
    const { values } = await kernelShapValues(game, 2 ** size, 1);
    near(values, [...shapleyValues(game.table, size)], 1e-5);
  });

  test('an additive game is exact from a sample, and efficiency holds for any game', async () => {
    const size = 9;
    const additive: Game = {
      size,
      values: (coalitions) =>
        Promise.resolve(
          Float64Array.from(coalitions, (coalition) => coalition.reduce((sum, here, player) => sum + here * (player - 3), 1)),
        ),
    };
    near(
      (await kernelShapValues(additive, 40, 3)).values,
      everyone(size).map((player) => player - 3),
      1e-8,
    );
    const game = tableGame(size, 4);
    const { values } = await kernelShapValues(game, 60, 3);
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
      (game.table.at(-1) as number) - (game.table[0] as number),
      8,
    );
  });

  test('the estimate nears the exact values as the sample grows', async () => {
    const size = 10;
    const game = tableGame(size, 8);
    const exact = shapleyValues(game.table, size);
    const error = async (samples: number) => {
      let sum = 0;
      for (const seed of [1, 2, 3, 4, 5]) {
        const { values } = await kernelShapValues(game, samples, seed);
        values.forEach((value, player) => (sum += (value - (exact[player] as number)) ** 2));
      }
      return sum;
    };
    expect(await error(600)).toBeLessThan((await error(60)) / 2);
  });

  test('no coalition twice, complements together', () => {
    const drawn = drawCoalitions(12, 200, 5).map(({ coalition }) => coalition.join(''));
    expect(new Set(drawn).size).toBe(drawn.length);
    for (const key of drawn) expect(drawn).toContain(key.replaceAll('0', 'x').replaceAll('1', '0').replaceAll('x', '1'));
  });

  test('the kernel weights of each pair of sizes add up to theirs, drawn or enumerated', () => {
    const size = 8;
    const drawn = drawCoalitions(size, 60, 2);
    const total = drawn.reduce((sum, { weight: part }) => sum + part, 0);
    const expected = everyone(size)
      .slice(1)
      .reduce((sum, members) => sum + (size - 1) / (members * (size - members)), 0);
    expect(total).toBeCloseTo(expected, 8);
  });

  test('the model is asked for each prompt once; same seed, same bytes', async () => {
    const model = createLinearModel();
    const input = await inputFor(model, { text: 'The cat sat on the mat of Paris' });
    const before = model.calls.variants.length;
    const first = await kernelShap.attribute({ ...input, parameters: { samples: 64, replacement: 'drop' } });
    const asked = model.calls.variants.slice(before).map((ids) => ids.join(' '));
    expect(new Set(asked).size).toBe(asked.length);
    const again = await kernelShap.attribute({ ...input, parameters: { samples: 64, replacement: 'drop' } });
    expect(again.scores).toEqual(first.scores);
    expect(
      (await kernelShap.attribute({ ...input, seed: 2, parameters: { samples: 20, replacement: 'drop' } })).completeness?.gap,
    ).toBeCloseTo(0, 6);
  });
});

describe('sampled orders', () => {
  test('every pair adds up, and intervals hold the exact value about as often as they say', async () => {
    const size = 6;
    let inside = 0;
    let all = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const game = tableGame(size, 77);
      const exact = shapleyValues(game.table, size);
      const { values, intervals } = await sampledShapley(game, 8, seed);
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
        (game.table.at(-1) as number) - (game.table[0] as number),
        8,
      );
      intervals?.forEach(([low, high], player) => {
        all++;
        if (low <= (exact[player] as number) && (exact[player] as number) <= high) inside++;
      });
    }
    expect(inside / all).toBeGreaterThan(0.85);
  });

  test('one pair gives no interval', async () => {
    const input = await inputFor(createLinearModel(), { text: 'The cat sat', parameters: { pairs: 1, replacement: 'drop' } });
    const result = await permutationShapley.attribute(input);
    expect(result.intervals).toBeUndefined();
    expect(result.completeness?.gap).toBeCloseTo(0, 6);
  });
});

describe('Owen values', () => {
  const leaf = (player: number): Partition => ({ from: player, to: player + 1, parts: null });
  const join = (a: Partition, b: Partition): Partition => ({ from: a.from, to: b.to, parts: [a, b] });

  /** Orders in which the players of every part stand together: what Owen's values are the mean over. */
  function ordersOf({ from, parts }: Partition): number[][] {
    if (parts === null) return [[from]];
    const [first, second] = parts.map(ordersOf) as [number[][], number[][]];
    return first.flatMap((a) =>
      second.flatMap((b) => [
        [...a, ...b],
        [...b, ...a],
      ]),
    );
  }

  test('a whole tree: the mean over all orders that keep its parts together', async () => {
    const tree = join(join(leaf(0), join(leaf(1), leaf(2))), join(leaf(3), leaf(4)));
    const game = tableGame(5, 5);
    const { values } = await owenValues(game, tree, 10_000);
    near(values, meanOverOrders(game.table, 5, ordersOf(tree)), 1e-10);
  });

  test('any budget adds up; an additive game is exact once all parts are divided', async () => {
    const tree = partitionTree(
      everyone(7).map((at) => ({ start: 2 * at, end: 2 * at + 1, label: '', kind: 'text' as const, tokens: [at] })),
      [],
    );
    const game = tableGame(7, 6);
    for (const samples of [0, 2, 7, 40]) {
      const { values } = await owenValues(game, tree, samples);
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
        (game.table.at(-1) as number) - (game.table[0] as number),
        8,
      );
    }
  });

  test('the first cut is between sections', () => {
    const unit = (start: number) => ({ start, end: start + 1, label: '', kind: 'text' as const, tokens: [start] });
    const section = (start: number, end: number) => ({ start, end, kind: 'paragraph' as const, label: '' });
    const tree = partitionTree([unit(0), unit(2), unit(4), unit(6), unit(8)], [section(0, 9), section(0, 1.5), section(2, 9)]);
    expect(tree?.parts?.[0].to).toBe(2);
    const two = partitionTree([unit(0), unit(2), unit(4), unit(6), unit(8)], [section(0, 1), section(2, 9)]);
    expect(two?.parts?.[0].to).toBe(1);
  });

  test('a prompt without units', async () => {
    const input = { ...(await inputFor(createLinearModel(), { text: 'The cat' })), units: [] };
    expect([...(await partitionShapley.attribute({ ...input, parameters: { samples: 8 } })).scores]).toEqual([]);
    expect([...(await kernelShap.attribute({ ...input, parameters: { samples: 8 } })).scores]).toEqual([]);
  });
});
