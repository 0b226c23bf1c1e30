import { describe, expect, test } from 'vitest';
import { inputTimesGradient } from '../../src/attribution/gradient/inputTimesGradient.ts';
import { saliency } from '../../src/attribution/gradient/saliency.ts';
import { smoothgrad } from '../../src/attribution/gradient/smoothgrad.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import type { GradientPathRequest } from '../../src/model/gradient.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { embeddingsOf, sequenceOf, slopesAt } from './embeddingValues.ts';
import { idOf, linearInfo } from './linearModel.ts';
import { createSmoothModel } from './smoothModel.ts';

const text = 'The cat sat on the mat';
const response = [idOf(' Paris'), idOf('.')];
const spec = { kind: 'response' } as const;

const prepared = (parts: InputParts = {}, model = createSmoothModel()) =>
  inputFor(model, { text, response, ...parts, parameters: resolveParameters(smoothgrad, parts.parameters) });

test.each(['l2', 'l1', 'input-x-gradient'])('without noise %s is the plain method', async (score) => {
  const input = await prepared({ spec, parameters: { noise: 0, samples: 3, score } });
  const plain =
    score === 'input-x-gradient'
      ? await inputTimesGradient.attribute(input)
      : await saliency.attribute({ ...input, parameters: { norm: score } });
  const { scores, intervals, scoreUnit } = await smoothgrad.attribute(input);
  scores.forEach((value, unit) => expect(value).toBeCloseTo(plain.scores[unit] as number, 5));
  intervals?.forEach(([low, high]) => expect(high - low).toBeLessThan(1e-5));
  expect(scoreUnit).toBe(plain.scoreUnit);
});

describe('with noise', () => {
  test('the mean of the gradient’s size at each noisy copy', async () => {
    const model = createSmoothModel();
    const input = await prepared({ spec, parameters: { samples: 3, noise: 0.5 } }, model);
    const { scores, forwardPasses } = await smoothgrad.attribute(input);
    const copies = (model.gradients as GradientPathRequest[]).map(({ from }) => from);
    expect(copies).toHaveLength(3);
    const sums = new Float64Array(input.tokens.length);
    for (const copy of copies) {
      (await slopesAt(input, copy)).forEach((row, token) => {
        sums[token] = (sums[token] as number) + Math.hypot(...row) / 3;
      });
    }
    sums.forEach((mean, token) => expect(Math.abs((scores[token] as number) - mean)).toBeLessThan(4e-3 * Math.max(...sums)));
    expect(forwardPasses).toBeGreaterThan(3 * 2);
  });

  test('is a share of the spread of the prompt’s embeddings, and leaves the target’s own tokens as they are', async () => {
    const model = createSmoothModel();
    const input = await prepared({ spec, parameters: { samples: 200, noise: 0.25 } }, model);
    await smoothgrad.attribute(input);
    const plain = embeddingsOf(sequenceOf(input));
    const prompt = plain.subarray(0, input.tokens.length * linearInfo.hidden);
    const deviation = (values: ArrayLike<number>) => {
      const all = Array.from(values);
      const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
      return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
    };
    const noise = (model.gradients as GradientPathRequest[]).map(({ from }) =>
      from.map((value, at) => value - (plain[at] as number)),
    );
    const onPrompt = noise.flatMap((each) => [...each.subarray(0, prompt.length)]);
    expect(deviation(onPrompt) / deviation(prompt)).toBeCloseTo(0.25, 2);
    // Of a normal distribution 68 % lie within one deviation.
    const within = onPrompt.filter((value) => Math.abs(value) < 0.25 * deviation(prompt)).length / onPrompt.length;
    expect(within).toBeCloseTo(0.683, 1);
    expect(noise.every((each) => each.subarray(prompt.length).every((value) => value === 0))).toBe(true);
  });

  test('depends on the seed alone', async () => {
    const scoresOf = async (seed: number) => (await smoothgrad.attribute(await prepared({ seed }))).scores;
    expect(await scoresOf(5)).toEqual(await scoresOf(5));
    expect(await scoresOf(5)).not.toEqual(await scoresOf(6));
  });
});

test('hidden units score 0, one sample has no interval, and a run can be stopped', async () => {
  const groups = [[0, 1], [2], [3, 4, 5]];
  const { scores, intervals } = await smoothgrad.attribute(
    await prepared({ groups, kinds: ['text', 'special', 'text'], parameters: { samples: 1 } }),
  );
  expect(scores[1]).toBe(0);
  expect(scores[0]).toBeGreaterThan(0);
  expect(intervals).toBeUndefined();
  const stopped = smoothgrad.attribute(await prepared(), { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
