import { describe, expect, test } from 'vitest';
import { CoalitionGame, players } from '../../../src/attribution/perturbation/coalitions.ts';
import { sharedPasses } from '../../../src/attribution/perturbation/evaluateSequences.ts';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { middlePlayer, randomCoalitions } from '../../../src/attribution/surrogate/ablations.ts';
import { softThreshold } from '../../../src/attribution/surrogate/lasso.ts';
import { ridge } from '../../../src/attribution/surrogate/regression.ts';
import { sparseSurrogate } from '../../../src/attribution/surrogate/sparseSurrogate.ts';
import { inputFor } from '../attributionInput.ts';
import { createLinearModel, type LinearModelOptions, weight } from '../linearModel.ts';
import { goldenGame } from './goldenTable.ts';
import { allPrompts } from './promptsAsked.ts';

const parameters = (given: Record<string, string | number | boolean> = {}) => resolveParameters(sparseSurrogate, given);
const text = 'The cat sat on the mat of Paris, the capital is';
const response = [9, 12, 40, 100];

test.each(['fact', 'ioi'])('all coalitions of %s: soft thresholding of differences of means', async (name) => {
  const { rows, values, input } = goldenGame(name);
  const lambda = 0.3;
  const { scores } = await sparseSurrogate.attribute(
    await input({ parameters: parameters({ samples: 1024, lambda, keepLast: false }) }),
  );
  scores.forEach((score, unit) => {
    const difference = rows.reduce((sum, row, sample) => sum + (2 * (row[unit] as number) - 1) * (values[sample] as number), 0);
    expect(score).toBeCloseTo(4 * softThreshold(difference / rows.length / 2, lambda), 5);
  });
});

test('a number of units is kept: the strongest', async () => {
  const input = await inputFor(createLinearModel(), {
    text,
    spec: { kind: 'id', id: 40 },
    parameters: parameters({ features: 3 }),
  });
  const { scores } = await sparseSurrogate.attribute(input);
  const found = [...scores.keys()].filter((unit) => scores[unit] !== 0);
  const truth = input.tokens.map(({ id }, unit) => (unit === input.tokens.length - 1 ? 0 : Math.abs(weight(id, 40))));
  const strongest = [...truth.keys()].sort((a, b) => (truth[b] ?? 0) - (truth[a] ?? 0)).slice(0, 3);
  expect(found.length).toBeGreaterThan(0);
  expect(found.every((unit) => strongest.includes(unit))).toBe(true);
});

test('on a model that is a sum, a small penalty gives the sum back', async () => {
  const input = await inputFor(createLinearModel(), {
    text,
    spec: { kind: 'id', id: 40 },
    parameters: parameters({ lambda: 1e-5 }),
  });
  const { scores, findings } = await sparseSurrogate.attribute(input);
  input.tokens.slice(0, -1).forEach(({ id }, unit) => {
    expect(scores[unit]).toBeCloseTo(weight(id, 40), 3);
  });
  expect(findings?.fit?.r2).toBeCloseTo(1, 5);
  expect(findings?.fit?.heldOut).toBeGreaterThan(0.99);
});

describe('over a response', () => {
  const inputs = (model: ReturnType<typeof createLinearModel>, ablations: Map<string, never>) => ({
    of: async (from: number, to: number, given: Record<string, string | number | boolean> = {}, seed = 1) => ({
      ...(await inputFor(model, { text, response, spec: { kind: 'span', from, to }, parameters: parameters(given), seed })),
      ablations,
    }),
  });
  const opened = (options: LinearModelOptions = {}) => {
    const model = createLinearModel(options);
    return { model, ...inputs(model, new Map<string, never>()) };
  };

  test('every span after the first needs no run and gets the scores of a run of its own', async () => {
    const { model, of } = opened();
    const first = await sparseSurrogate.attribute(await of(0, 3));
    const asked = allPrompts(model).length;
    expect(asked).toBeGreaterThan(50);
    for (const [from, to] of [
      [0, 0],
      [1, 2],
      [3, 3],
    ] as const) {
      const known = await sparseSurrogate.attribute(await of(from, to));
      expect(allPrompts(model)).toHaveLength(asked);
      expect(known.forwardPasses).toBe(0);
      const alone = await sparseSurrogate.attribute(await opened().of(from, to));
      expect(known.scores).toEqual(alone.scores);
      expect(known.matrix).toEqual(alone.matrix);
      expect(alone.forwardPasses).toBeGreaterThan(0);
    }
    expect(first.forwardPasses).toBeGreaterThan(0);
  });

  test('another seed, replacement or unit is another run', async () => {
    const { model, of } = opened();
    await sparseSurrogate.attribute(await of(0, 3));
    const asked = allPrompts(model).length;
    await sparseSurrogate.attribute(await of(0, 3, {}, 2));
    const more = allPrompts(model).length;
    expect(more).toBeGreaterThan(asked);
    await sparseSurrogate.attribute(await of(0, 3, { replacement: 'neutral' }));
    expect(allPrompts(model).length).toBeGreaterThan(more);
  });

  test('the matrix holds the scores of each token as a target of its own', async () => {
    const { of } = opened();
    const lambda = 1e-4;
    const { matrix } = await sparseSurrogate.attribute(await of(0, 3, { lambda }));
    expect(matrix?.rows).toEqual([0, 1, 2, 3]);
    expect(matrix?.unit).toBe('nat');
    for (const token of [0, 1, 2, 3]) {
      const { scores } = await sparseSurrogate.attribute(await of(token, token, { lambda }));
      scores.forEach((score, unit) => {
        expect(matrix?.scores[token]?.[unit]).toBeCloseTo(score, 2);
      });
    }
  });

  test('a response that does not fit beside the prompt is read up to the span', async () => {
    const { of } = opened({ contextLength: 15 });
    const input = await of(0, 0);
    expect(input.tokens.length + response.length - 1).toBeGreaterThan(15);
    const { matrix, scores } = await sparseSurrogate.attribute(input);
    expect(matrix).toBeUndefined();
    expect(scores.some((score) => score !== 0)).toBe(true);
  });

  test('a probability of a span is a probability', async () => {
    const { model } = opened();
    const input = await inputFor(model, {
      text,
      response,
      spec: { kind: 'span', from: 1, to: 2 },
      score: 'prob',
      parameters: parameters({ lambda: 1e-9 }),
    });
    const { scores } = await sparseSurrogate.attribute(input);
    expect(scores.some((score) => score !== 0)).toBe(true);
    expect(scores.every((score) => Math.abs(score) <= 1)).toBe(true);
  });
});

describe('random ablations', () => {
  test('each player is there half of the time, whatever the others do', () => {
    const coalitions = Array.from({ length: 40 }, (_, seed) => randomCoalitions(9, 64, 4, seed)).flat();
    // 2560 draws: three standard errors are 0.03, of a pair of players as well.
    for (let player = 0; player < 9; player++) {
      expect(Math.abs(coalitions.reduce((sum, there) => sum + there[player]!, 0) / coalitions.length - 0.5)).toBeLessThan(0.03);
      for (let other = 0; other < player; other++) {
        const both = coalitions.filter((there) => there[player] === there[other]).length / coalitions.length;
        expect(Math.abs(both - 0.5)).toBeLessThan(0.045);
      }
    }
  });

  test('pairs share the first half and are opposite in the second', () => {
    const coalitions = randomCoalitions(20, 64, 8, 3);
    for (let pair = 0; pair < 64; pair += 2) {
      const [a, b] = [coalitions[pair]!, coalitions[pair + 1]!];
      expect(a.slice(0, 8)).toEqual(b.slice(0, 8));
      expect(a.slice(8).map((there) => 1 - there)).toEqual(b.slice(8));
    }
  });

  test('64 of them tell 40 units apart: least squares finds each effect of a sum, wherever in the prompt it stands', () => {
    const effects = Array.from({ length: 40 }, (_, unit) => Math.sin(unit) + (unit % 5));
    for (const seed of [1, 2, 3]) {
      const rows = randomCoalitions(40, 64, 20, seed);
      const values = rows.map((there) => there.reduce((sum, one, unit) => sum + one * effects[unit]!, 7));
      const { coefficients } = ridge({ rows, values, weights: rows.map(() => 1) }, 0);
      effects.forEach((effect, unit) => {
        expect(coefficients[unit]).toBeCloseTo(effect, 6);
      });
    }
  });

  test('all there are, once each, where that is no more', () => {
    expect(randomCoalitions(2, 4, 1, 1).map((coalition) => coalition.join(''))).toEqual(['00', '10', '01', '11']);
    expect(randomCoalitions(2, 3, 1, 1)).toHaveLength(3);
    expect(randomCoalitions(0, 64, 0, 1)).toEqual([new Uint8Array(0)]);
  });

  test('64 of them cost at most 32 passes, and pairs less than draws without any order', async () => {
    for (const length of [30, 120]) {
      const ids = Array.from({ length }, (_, index) => 4 + ((index * 37) % 100));
      const input = await inputFor(createLinearModel(), { ids });
      const game = await CoalitionGame.open(input, { units: players(input, { keepLast: true }) });
      const cost = (split: number) => {
        const prompts = randomCoalitions(game.units.length, 64, split, 5).map((coalition) => game.prompt(coalition));
        return sharedPasses(input.model.info, prompts, length, 0);
      };
      const paired = cost(middlePlayer(game, input));
      expect(paired).toBeLessThan(32);
      expect(paired).toBeLessThan(0.9 * cost(0));
    }
  });
});
