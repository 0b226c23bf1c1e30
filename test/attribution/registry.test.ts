import { describe, expect, test } from 'vitest';
import {
  attributionMethods,
  chooseMethod,
  fallbackMethod,
  findMethod,
  methodsWithoutGradient,
  resolveParameters,
  supportedMethods,
} from '../../src/attribution/registry.ts';
import { random } from '../../src/attribution/control/random.ts';
import { inputFor } from './attributionInput.ts';
import { createLinearModel } from './linearModel.ts';
import { createSmoothModel } from './smoothModel.ts';

const seeing = createLinearModel();
const blind = createLinearModel({ capture: false });
const smooth = createSmoothModel();

test('methods have names of their own and defaults they accept', () => {
  const ids = attributionMethods.map((method) => method.id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const method of attributionMethods) {
    const defaults = resolveParameters(method);
    expect(resolveParameters(method, defaults)).toEqual(defaults);
    expect(method.assumption).toMatch(/\.$/);
  }
});

test('a model that evaluates every prompt whole is told a higher cost wherever prompts begin alike', () => {
  const dearer = attributionMethods.filter((method) => method.cost(50, false) > method.cost(50, true)).map(({ id }) => id);
  expect(dearer).toEqual([
    'occlusion',
    'guided-occlusion',
    'hierarchical-occlusion',
    'permutation-importance',
    'reagent',
    'exact-shapley',
    'lime',
    'sparse-surrogate',
    'decision-tree',
  ]);
  for (const method of attributionMethods)
    expect(method.cost(50, false), method.id).toBeGreaterThanOrEqual(method.cost(50, true));
});

test('what a model cannot do', () => {
  const needing = (...can: string[]) =>
    attributionMethods.filter(({ needs }) => needs.every((need) => need === 'forward' || can.includes(need))).map(({ id }) => id);
  expect(supportedMethods(seeing.info.can)).toEqual(needing('capture'));
  expect(supportedMethods(blind.info.can)).toEqual(needing());
  expect(supportedMethods(smooth.info.can)).toEqual(needing('capture', 'gradient'));
  expect(supportedMethods(createSmoothModel({ capture: false }).info.can)).toEqual(needing('gradient'));
  expect(methodsWithoutGradient(smooth)).toEqual(needing('capture'));
  expect(needing()).toEqual(expect.arrayContaining(['occlusion', 'exact-shapley', 'lime', 'random']));
  expect(needing()).not.toContain('attention');
  expect(() => findMethod('attention', blind)).toThrow(/E_METHOD_UNSUPPORTED.*choose one of: .*occlusion.*random/);
  for (const { id, needs } of attributionMethods) {
    if (needs.includes('gradient'))
      expect(() => findMethod(id, seeing)).toThrow(/E_METHOD_UNSUPPORTED.*gradients.*choose one of: /);
  }
  expect(() => findMethod('gradient', seeing)).toThrow(/E_METHOD_UNKNOWN.*occlusion/);
  expect(() => findMethod('toString', seeing)).toThrow(/E_METHOD_UNKNOWN/);
});

describe('parameters', () => {
  const cases: [method: string, given: Record<string, string | number | boolean>, expected: RegExp][] = [
    ['occlusion', { replacement: 'shred' }, /E_PARAMETER.*use one of: drop, neutral, mask, corpus/],
    ['occlusion', { replacement: true }, /E_PARAMETER.*give a string/],
    ['occlusion', { colour: 'red' }, /E_PARAMETER.*use one of: replacement, includeTemplate/],
    ['attention', { aggregation: 'max' }, /E_PARAMETER.*last-layer-mean, rollout/],
    ['saliency', { precision: 'fp16' }, /E_PARAMETER.*use one of: as-served, dequantised/],
    ['saliency', { norm: 'l3' }, /E_PARAMETER.*use one of: l2, l1/],
    ['input-x-gradient', { norm: 'l2' }, /E_PARAMETER.*use one of: perToken, precision/],
    ['integrated-gradients', { steps: 0 }, /E_PARAMETER.*from 1 to 256/],
    ['integrated-gradients', { steps: 2.5 }, /E_PARAMETER.*whole number/],
    ['integrated-gradients', { maxSteps: 5000 }, /E_PARAMETER.*from 1 to 1024/],
    ['integrated-gradients', { rule: 'simpson' }, /E_PARAMETER.*midpoint, trapezoid/],
    ['integrated-gradients', { baseline: 'mean' }, /E_PARAMETER.*end-of-text, zero/],
    ['attention-x-gradient', { aggregation: 'mean' }, /E_PARAMETER.*absolute, signed/],
    ['attention-x-gradient', { layers: 3 }, /E_PARAMETER.*give a string/],
    ['random', { anything: 1 }, /E_PARAMETER.*leave it away/],
    ['occlusion', { constructor: 'x' }, /E_PARAMETER/],
  ];
  test.each(cases)('%s %j', (method, given, expected) => {
    expect(() => resolveParameters(findMethod(method, smooth), given)).toThrow(expected);
  });

  test('defaults fill what is not given', () => {
    expect(resolveParameters(findMethod('occlusion', seeing), { replacement: 'neutral' })).toEqual({
      replacement: 'neutral',
      includeTemplate: false,
    });
  });

  test('numbers have limits', () => {
    const method = { ...random, parameters: [{ id: 'samples', label: '', default: 8, minimum: 1, maximum: 64 }] };
    expect(resolveParameters(method, { samples: 64 })).toEqual({ samples: 64 });
    for (const samples of [0, 65, Number.NaN])
      expect(() => resolveParameters(method, { samples })).toThrow(/E_PARAMETER.*from 1 to 64/);
  });
});

test('random depends on the seed alone and leaves hidden units at zero', async () => {
  const kinds = ['special', 'text', 'sink', 'template'] as const;
  const scoresOf = async (seed: number) =>
    (await random.attribute(await inputFor(seeing, { ids: [9, 12, 40, 7], kinds, seed }))).scores;
  expect(await scoresOf(3)).toEqual(await scoresOf(3));
  expect(await scoresOf(3)).not.toEqual(await scoresOf(4));
  const scores = await scoresOf(3);
  expect([scores[0], scores[3]]).toEqual([0, 0]);
  expect([...scores].every((score) => score >= -1 && score < 1)).toBe(true);
});

test('a default nobody chose falls back with a warning; a chosen method does not', () => {
  const fallback = { mayFallBack: true };
  expect(chooseMethod({ method: 'saliency', ...fallback }, smooth)).toMatchObject({ method: { id: 'saliency' }, warnings: [] });
  expect(chooseMethod({ method: 'saliency', ...fallback }, seeing)).toMatchObject({
    method: { id: fallbackMethod },
    warnings: [{ code: 'W_METHOD_FALLBACK' }],
  });
  expect(() => chooseMethod({ method: 'saliency' }, seeing)).toThrow(/E_METHOD_UNSUPPORTED/);
  expect(() => chooseMethod({ method: 'no such', ...fallback }, seeing)).toThrow(/E_METHOD_UNKNOWN/);
});
