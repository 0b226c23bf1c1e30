import { describe, expect, test } from 'vitest';
import { monotoneKnots } from '../../src/attribution/gradient/discretisedPath.ts';
import { integratedGradients } from '../../src/attribution/gradient/integratedGradients.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { seededRandom } from '../../src/attribution/seededRandom.ts';
import type { GradientPathRequest } from '../../src/model/gradient.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { embeddingsOf, partOfLogit, sequenceOf, valueAt } from './embeddingValues.ts';
import { idOf, linearInfo } from './linearModel.ts';
import { createSmoothModel, embeddingOf } from './smoothModel.ts';

const { hidden } = linearInfo;
const text = 'The cat sat on the mat';
const response = [idOf(' Paris'), idOf('.')];
const prepared = (parts: InputParts = {}, model = createSmoothModel()) =>
  inputFor(model, { text, response, ...parts, parameters: resolveParameters(integratedGradients, parts.parameters) });
const paths = ['straight', 'discretised', 'sequential'];

// The logit is a sum of one function for each token, so its integral is the same on every path.
test.each(paths)('%s: the closed form of a logit', async (path) => {
  for (const rule of ['midpoint', 'trapezoid']) {
    const input = await prepared({ spec: { kind: 'id', id: 40 }, parameters: { path, rule, steps: 160 } });
    const { scores, completeness } = await integratedGradients.attribute(input);
    const ids = input.tokens.map((token) => token.id);
    ids.forEach((token, key) => {
      const part = (of: number) => partOfLogit(ids, key, 40, embeddingOf(of));
      expect(scores[key]).toBeCloseTo(part(token) - part(0), 2);
    });
    expect(completeness?.share ?? 1).toBeLessThan(0.01);
  }
});

test('a path with bends adds up for a target that is no sum over tokens', async () => {
  const input = await prepared({ spec: { kind: 'response' }, parameters: { path: 'discretised', steps: 40, maxSteps: 640 } });
  const { scores, completeness } = await integratedGradients.attribute(input);
  const sequence = sequenceOf(input).fill(0, 0, input.tokens.length);
  const expected = input.value - (await valueAt(input, embeddingsOf(sequence)));
  expect(completeness?.expected).toBeCloseTo(expected, 5);
  expect(Math.abs(scores.reduce((sum, score) => sum + score, 0) - expected)).toBeLessThan(0.01 * Math.abs(expected));
});

test('token by token: each score is what that token alone gains', async () => {
  const input = await prepared({ spec: { kind: 'response' }, parameters: { path: 'sequential', steps: 40 } });
  const { scores, completeness } = await integratedGradients.attribute(input);
  const plain = embeddingsOf(sequenceOf(input));
  let total = 0;
  for (const token of input.tokens.keys()) {
    const without = plain.slice();
    without.set(embeddingOf(0), token * hidden);
    const gained = input.value - (await valueAt(input, without));
    expect(scores[token]).toBeCloseTo(gained, 2);
    total += gained;
  }
  expect(completeness?.expected).toBeCloseTo(total, 4);
});

test('token by token: hidden units stay as they are; nothing to move is no failure', async () => {
  const model = createSmoothModel();
  const groups = [
    [0, 1],
    [2, 3],
    [4, 5],
  ];
  const kinds = ['text', 'special', 'text'] as const;
  const { scores } = await integratedGradients.attribute(
    await prepared({ groups, kinds, parameters: { path: 'sequential' } }, model),
  );
  expect(scores[1]).toBe(0);
  const moved = (model.gradients as GradientPathRequest[]).flatMap(({ from, to }) =>
    [...from.keys()].filter((at) => from[at] !== to[at]).map((at) => Math.floor(at / hidden)),
  );
  expect(new Set(moved)).toEqual(new Set([0, 1, 4, 5]));
  const nothing = await integratedGradients.attribute(await prepared({ groups: [], parameters: { path: 'sequential' } }));
  expect(nothing.completeness).toMatchObject({ sum: 0, expected: 0, share: null });
});

describe('what is refused', () => {
  const cases: [parts: InputParts, message: RegExp][] = [
    [{ parameters: { path: 'discretised', baseline: 'zero' } }, /E_PARAMETER.*path.*end-of-text/],
    [
      { ids: new Array<number>(40).fill(12), parameters: { path: 'sequential', steps: 256 } },
      /E_PARAMETER.*40 tokens with 256 steps each are 10240 gradients, and 8192 are allowed/,
    ],
  ];
  test.each(cases)('%#', async (parts, message) => {
    await expect(integratedGradients.attribute(await prepared(parts))).rejects.toThrow(message);
  });
});

describe('anchors', () => {
  const random = seededRandom(7);
  const vector = () => Float32Array.from({ length: 5 }, () => 2 * random() - 1);
  const candidates = Array.from({ length: 30 }, vector);

  test('from the token to the baseline, no coordinate ever turns back', () => {
    for (let round = 0; round < 20; round++) {
      const start = vector();
      const knots = monotoneKnots(start, candidates, 6);
      expect(knots).toHaveLength(7);
      expect(knots[0]).toEqual(start);
      expect(knots.at(-1)).toEqual(new Float32Array(5));
      knots.slice(1).forEach((knot, index) => {
        knot.forEach((value, d) => {
          const before = knots[index]?.[d] as number;
          expect(value * before).toBeGreaterThanOrEqual(0);
          expect(Math.abs(value)).toBeLessThanOrEqual(Math.abs(before));
        });
      });
    }
  });

  test('a candidate on the way is an anchor as it stands, and each at most once', () => {
    const start = Float32Array.of(1, -1, 0.5);
    const onTheWay = [Float32Array.of(0.7, -0.9, 0.4), Float32Array.of(0.2, -0.1, 0.3)];
    const aside = [Float32Array.of(2, 1, -3), start];
    const knots = monotoneKnots(start, [...aside, ...onTheWay], 3);
    expect(knots.slice(1, 3)).toContainEqual(onTheWay[0]);
    expect(knots[1]).toEqual(onTheWay[0]);
    expect(knots[2]).toEqual(onTheWay[1]);
  });

  test('without candidates the way is straight', () => {
    const knots = monotoneKnots(Float32Array.of(1, -2), [], 4);
    knots.forEach((knot, index) => {
      expect(knot[0]).toBeCloseTo(1 - index / 4, 6);
      expect(knot[1]).toBeCloseTo(-2 * (1 - index / 4), 6);
    });
  });
});
