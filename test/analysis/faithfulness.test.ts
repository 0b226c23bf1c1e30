import { describe, expect, test } from 'vitest';
import { topCount, withoutUnits } from '../../src/analysis/faithfulness/ablations.ts';
import { gainInterval, meanOf } from '../../src/analysis/faithfulness/interval.ts';
import { type FaithfulnessInput, measureFaithfulness } from '../../src/analysis/faithfulness/measureFaithfulness.ts';
import { randomRankings, rankableUnits, rankByScore } from '../../src/analysis/faithfulness/rankings.ts';
import { countAsGood } from '../../src/analysis/faithfulness/rankTest.ts';
import { roundingNoise } from '../../src/analysis/faithfulness/roundingNoise.ts';
import { judge } from '../../src/analysis/faithfulness/verdict.ts';
import { occlusion } from '../../src/attribution/perturbation/occlusion.ts';
import { random } from '../../src/attribution/control/random.ts';
import { fullValue, inputFor } from '../attribution/attributionInput.ts';
import { createLinearModel } from '../attribution/linearModel.ts';

const model = createLinearModel();
const fractions = [0.1, 0.2, 0.5];

const prompt = Array.from({ length: 21 }, (_, index) => 4 + ((index * 37) % 100));

async function measured(
  scoresOf: (input: Awaited<ReturnType<typeof inputFor>>) => ArrayLike<number>,
  parts: Partial<FaithfulnessInput> = {},
) {
  const input = await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 } });
  const { units, target, value } = input;
  const ids = Int32Array.from(prompt);
  return await measureFaithfulness({
    model,
    ids,
    units,
    scores: scoresOf(input),
    target,
    value,
    seed: 1,
    signed: true,
    slopes: false,
    completeness: undefined,
    budget: 1000,
    measures: [],
    noise: 0,
    ...parts,
  });
}

describe('rankings', () => {
  test('what belongs to the template, is a sink, or holds the last token stays', () => {
    const kinds = ['special', 'sink', 'text', 'template', 'text', 'text'] as const;
    const units = kinds.map((kind, index) => ({ start: 0, end: 0, label: '', kind, tokens: [index] }));
    expect(rankableUnits(units, 6)).toEqual([2, 4]);
  });

  test('highest score first, ties as in the text', () => {
    expect(rankByScore([0, 1, 2, 3], [1, 3, -5, 3])).toEqual([1, 3, 0, 2]);
  });

  test('random ones are permutations that depend on the seed', () => {
    const [first] = randomRankings([3, 5, 8, 9], 2, 7);
    expect([...(first ?? [])].sort()).toEqual([3, 5, 8, 9]);
    expect(randomRankings([3, 5, 8, 9], 5, 7)).toEqual(randomRankings([3, 5, 8, 9], 5, 7));
    expect(randomRankings([3, 5, 8, 9], 5, 7)).not.toEqual(randomRankings([3, 5, 8, 9], 5, 8));
  });
});

test('how many units a fraction takes', () => {
  const cases: [fraction: number, count: number, expected: number][] = [
    [0.1, 30, 3],
    [0.1, 31, 4],
    [0.2, 35, 7],
    [0.5, 3, 2],
    [0.1, 1, 1],
    [1, 5, 5],
  ];
  for (const [fraction, count, expected] of cases) expect(topCount(fraction, count)).toBe(expected);
});

test('prompts without units', () => {
  const units = [[0], [1, 2], [3], [4]].map((tokens) => ({ start: 0, end: 0, label: '', kind: 'text' as const, tokens }));
  const prompt = { ids: Int32Array.of(10, 11, 12, 13, 14), units, emptyToken: 0 };
  expect([...withoutUnits(prompt, [2, 1])]).toEqual([10, 14]);
  expect([...withoutUnits(prompt, [])]).toEqual([10, 11, 12, 13, 14]);
  expect([...withoutUnits(prompt, [0, 1, 2, 3])]).toEqual([0]);
});

describe('measured on a prompt', () => {
  test('comprehensiveness and sufficiency equal full forward passes', async () => {
    const input = await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 } });
    const scores = prompt.map((_id, index) => (index * 13) % 21);
    const ranking = rankByScore(rankableUnits(input.units, prompt.length), scores);
    const fall = async (kept: number[]) => input.value - (await fullValue(model, Int32Array.from(kept), input.target));
    const comprehensiveness: number[] = [];
    const sufficiency: number[] = [];
    for (const fraction of fractions) {
      const top = new Set(ranking.slice(0, Math.ceil(fraction * ranking.length)));
      const ranked = new Set(ranking);
      comprehensiveness.push(await fall(prompt.filter((_id, index) => !top.has(index))));
      sufficiency.push(await fall(prompt.filter((_id, index) => top.has(index) || !ranked.has(index))));
    }
    const { measured: result } = await measured(() => scores);
    expect(result?.comprehensiveness).toBeCloseTo(meanOf(comprehensiveness), 12);
    expect(result?.sufficiency).toBeCloseTo(meanOf(sufficiency), 12);
    expect(result?.fractions).toEqual(fractions);
  });

  test('occlusion of an additive model is trusted: no ranking can do better', async () => {
    const { measured: result } = await measured(() => new Float32Array(0), {
      scores: (await occlusion.attribute(await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 } }))).scores,
    });
    expect(result?.verdict).toBe('trusted');
    expect(result?.interval[0]).toBeGreaterThan(0);
  });

  test('its opposite is not', async () => {
    const { scores } = await occlusion.attribute(await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 } }));
    const { measured: result } = await measured(() => scores.map((score) => -score));
    expect(result).toMatchObject({ verdict: 'untrusted', reason: expect.stringMatching(/not better than random/i) as string });
    expect(result?.interval[1]).toBeLessThan(0);
  });

  test('random scores: the gain is nothing on average, and seldom trusted', async () => {
    const gains: number[] = [];
    let trusted = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const input = await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 }, seed: seed + 1000 });
      const { scores } = await random.attribute(input);
      const { measured: result } = await measured(() => scores, { seed });
      gains.push(result?.gain ?? Number.NaN);
      if (result?.verdict === 'trusted') trusted++;
    }
    const mean = meanOf(gains);
    const error = Math.sqrt(meanOf(gains.map((gain) => (gain - mean) ** 2)) / gains.length);
    expect(Math.abs(mean)).toBeLessThan(1.96 * error);
    expect(trusted).toBeLessThanOrEqual(9);
  });

  test('the same seed gives the same numbers', async () => {
    const scores = prompt.map((_id, index) => Math.sin(index));
    expect(await measured(() => scores)).toEqual(await measured(() => scores));
    expect(await measured(() => scores, { seed: 2 })).not.toEqual(await measured(() => scores));
  });

  test('the budget is kept; a small one buys a fifth of the units and fewer random rankings, and no check is cheaper than that', async () => {
    const scores = prompt.map((_id, index) => Math.sin(index));
    const full = await measured(() => scores);
    expect(full.measured).toMatchObject({ fractions: [0.1, 0.2, 0.5], rankings: 20 });
    const middle = await measured(() => scores, { budget: full.forwardPasses - 1 });
    expect(middle.forwardPasses).toBeLessThanOrEqual(full.forwardPasses - 1);
    const tight = await measured(() => scores, { budget: 6 });
    expect(tight.forwardPasses).toBeLessThanOrEqual(6);
    expect(tight.measured).toMatchObject({ fractions: [0.2] });
    const least = await measured(() => scores, { budget: 0 });
    expect(least.measured).toMatchObject({ fractions: [0.2], rankings: 4 });
    expect(least.forwardPasses).toBeLessThanOrEqual(tight.forwardPasses);
  });

  test('nothing to rank', async () => {
    const units = [{ start: 0, end: 0, label: '', kind: 'text' as const, tokens: prompt.map((_id, index) => index) }];
    expect(await measured(() => [1], { units })).toMatchObject({
      measured: null,
      reason: expect.stringMatching(/fewer than two/) as string,
    });
  });

  test('NaN on an ablated prompt', async () => {
    const poisoned = createLinearModel({ poison: prompt[2] as number });
    await expect(measured(() => prompt.map(() => 0), { model: poisoned })).rejects.toMatchObject({ code: 'E_NUMERIC' });
  });
});

describe('verdicts', () => {
  const good = {
    comprehensiveness: 3,
    sufficiency: 0.5,
    random: { comprehensiveness: 1, sufficiency: 2 },
    gain: 2,
    interval: [1, 3] as readonly [number, number],
    rankings: 20,
    asGood: 0,
    hiddenShare: 0.1,
    noise: 0,
    spread: 1,
    openShare: 0,
    certainty: null as number | null,
  };
  const cases: [change: Partial<typeof good>, verdict: string, reason: RegExp][] = [
    [{}, 'trusted', /clearly more/],
    [{ gain: 0 }, 'untrusted', /Not better than random/],
    [{ gain: -1 }, 'untrusted', /Not better than random/],
    [{ comprehensiveness: 0.1, noise: 0.13 }, 'untrusted', /rounding/],
    // As where the target is an entropy: every deletion raises it, by more than rounding.
    [{ comprehensiveness: -3.4, noise: 0.13 }, 'untrusted', /^Taking away .* raises what is explained/],
    [{ comprehensiveness: -0.1, noise: 0.13 }, 'untrusted', /rounding/],
    [{ interval: [-0.1, 3] }, 'weak', /too few/],
    [{ asGood: 3 }, 'weak', /3 of 20 random rankings/],
    [{ asGood: 2 }, 'trusted', /clearly/],
    [{ sufficiency: 2.5 }, 'weak', /carry the answer/],
    [{ hiddenShare: 0.8 }, 'weak', /sink dominates: 80 %/],
    [{ openShare: 0.06 }, 'weak', /miss their sum by 6 %/],
    [{ openShare: 0.04 }, 'trusted', /clearly/],
    [{ openShare: 0.6 }, 'untrusted', /miss their sum by 60 %/],
    [{ openShare: Number.POSITIVE_INFINITY }, 'untrusted', /add up to nothing and do not/],
    [{ spread: 0 }, 'untrusted', /Saturated.*order means nothing/],
    [{ certainty: 0.9995 }, 'weak', /Saturated.*99.9 % certain/],
    [{ certainty: 0.99 }, 'trusted', /clearly/],
  ];
  test.each(cases)('%j', (change, verdict, reason) => {
    const judged = judge({ ...good, ...change });
    expect(judged.verdict).toBe(verdict);
    expect(judged.reason).toMatch(reason);
  });
});

test('no reason says better than random where another says not better', () => {
  const random = { comprehensiveness: 2, sufficiency: 1 };
  const { verdict, reasons } = judge({
    ...{ comprehensiveness: 1.5, sufficiency: 2, random, gain: -0.5, interval: [-1, 0.2], rankings: 4, asGood: 4 },
    ...{ hiddenShare: 0.7, noise: 0, spread: 1, openShare: 0, certainty: null },
  });
  expect(verdict).toBe('untrusted');
  expect(reasons).toEqual([expect.stringMatching(/^Not better/), expect.stringMatching(/^A sink dominates/)]);
});

test('an interval of the mean: certain when all rankings agree, around the gain otherwise', () => {
  expect(gainInterval(5, [2, 2, 2], 1)).toEqual([3, 3]);
  const [low, high] = gainInterval(5, [1, 2, 3, 2, 1, 3], 1);
  expect(low).toBeGreaterThan(2);
  expect(low).toBeLessThan(3);
  expect(high).toBeGreaterThan(3);
});

test('how many rankings are as good', () => {
  const cases: [rows: number[][], expected: number][] = [
    [
      [
        [5, 5],
        [1, 1],
        [2, 2],
      ],
      0,
    ],
    [
      [
        [1, 1],
        [5, 5],
        [2, 2],
      ],
      2,
    ],
    [
      [
        [5, 1],
        [1, 5],
        [0, 0],
      ],
      1,
    ],
    // A large fall at one fraction does not outweigh the other two.
    [
      [
        [1, 1, 8],
        [0, 0, 100],
      ],
      0,
    ],
    [
      [
        [1, 1],
        [1, 1],
      ],
      1,
    ],
  ];
  for (const [rows, expected] of cases) expect(countAsGood(rows)).toBe(expected);
});

test('rounding of quantised files', () => {
  const nat = { unit: 'nat', value: -1 } as const;
  expect(roundingNoise({ precision: 'as-served', quantization: 'Q4_1' }, nat)).toBe(0.13);
  expect(roundingNoise({ precision: 'as-served', quantization: 'Q4_1' }, { unit: 'probability', value: 0.5 })).toBe(0.065);
  for (const quantization of ['F32', 'F16', 'BF16', 'all F32'])
    expect(roundingNoise({ precision: 'as-served', quantization }, nat)).toBe(0);
  expect(roundingNoise({ precision: 'dequantised', quantization: 'Q4_1' }, nat)).toBe(0);
});
