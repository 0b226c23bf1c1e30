import { describe, expect, test } from 'vitest';
import { attentionTimesGradient } from '../../src/attribution/flow/attentionTimesGradient.ts';
import { inputTimesGradient } from '../../src/attribution/gradient/inputTimesGradient.ts';
import { integratedGradients } from '../../src/attribution/gradient/integratedGradients.ts';
import type { AttributionInput, AttributionMethod } from '../../src/attribution/method.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { saliency } from '../../src/attribution/gradient/saliency.ts';
import type { GradientPlan } from '../../src/model/gradient.ts';
import type { Model } from '../../src/model/model.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { headPattern, idOf, linearInfo } from './linearModel.ts';
import { createSmoothModel, directionOf, embeddingOf, gain, smoothPlan } from './smoothModel.ts';

const text = 'The cat sat on the mat';
const response = [idOf(' Paris'), idOf('.'), idOf(' of')];
const { hidden, layers, heads } = linearInfo;
const model = createSmoothModel();

const prepared = (method: AttributionMethod, parts: InputParts = {}, on: Model = model): Promise<AttributionInput> =>
  inputFor(on, { text, response, ...parts, parameters: resolveParameters(method, parts.parameters) });

/** d target / d embedding of the prompt's tokens by central differences of plain forward passes, [tokens, D]. */
async function slopes({ model: on, tokens, target }: AttributionInput): Promise<number[][]> {
  const sequence = Int32Array.from([...tokens.map((token) => token.id), ...target.continuation]);
  const plain = Float32Array.from([...sequence].flatMap(embeddingOf));
  const step = 1 / 512;
  const valueWith = async (at: number, by: number): Promise<number> => {
    const embeddings = plain.slice();
    embeddings[at] = (embeddings[at] as number) + by;
    return target.value((await on.forward({ tokens: sequence, embeddings, read: target.reads(tokens.length) })).read);
  };
  const rows: number[][] = [];
  for (let token = 0; token < tokens.length; token++) {
    const row: number[] = [];
    for (let d = 0; d < hidden; d++) {
      const at = token * hidden + d;
      row.push(((await valueWith(at, step)) - (await valueWith(at, -step))) / (2 * step));
    }
    rows.push(row);
  }
  return rows;
}

const close = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 2e-3) => {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  expected.forEach((value, index) => expect(Math.abs((actual[index] as number) - value)).toBeLessThan(tolerance * scale));
};
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const targets: [spec: TargetSpec, score: ScoreKind | undefined][] = [
  [{ kind: 'next' }, undefined],
  [{ kind: 'next' }, 'prob'],
  [{ kind: 'id', id: 40 }, 'logit'],
  [{ kind: 'response' }, undefined],
  [{ kind: 'response' }, 'prob'],
  [{ kind: 'span', from: 1, to: 2 }, 'logit'],
  [{ kind: 'text', text: ' London is' }, 'logprob'],
  [{ kind: 'contrast', a: ' Paris', b: ' London' }, 'logit'],
  [{ kind: 'contrast', a: ' Paris', b: ' London', at: 2 }, 'prob'],
];

describe.each(targets)('the slope of %j as %s', (spec, score) => {
  test('saliency is its size, input × gradient its product with the embedding', async () => {
    const input = await prepared(saliency, { spec, ...(score === undefined ? {} : { score }) });
    const rows = await slopes(input);
    close(
      (await saliency.attribute(input)).scores,
      rows.map((row) => Math.hypot(...row)),
    );
    const manhattan = { ...input, parameters: { ...input.parameters, norm: 'l1' } };
    close(
      (await saliency.attribute(manhattan)).scores,
      rows.map((row) => sum(row.map(Math.abs))),
    );
    const products = rows.map((row, token) =>
      sum(row.map((part, d) => part * (embeddingOf(input.tokens[token]?.id ?? 0)[d] ?? 0))),
    );
    close((await inputTimesGradient.attribute(input)).scores, products);
  });
});

test('a unit gets the sum over its tokens, hidden ones too; tokens of the target are no units', async () => {
  const groups = [[0, 1, 2], [3], [4, 5]];
  const kinds = ['text', 'special', 'template'] as const;
  const spec = { kind: 'response' } as const;
  for (const method of [saliency, inputTimesGradient, attentionTimesGradient, integratedGradients]) {
    const single = (await method.attribute(await prepared(method, { spec }))).scores;
    const { scores } = await method.attribute(await prepared(method, { spec, groups, kinds }));
    close(
      scores,
      groups.map((group) => sum(group.map((token) => single[token] ?? 0))),
      1e-5,
    );
  }
});

describe('attention × gradient', () => {
  /** For a logit: A · d logit / d A of one query row, per key, from the model's formula. */
  const products = (ids: readonly number[], id: number, use: readonly number[]): number[][] =>
    ids.map((token, key) =>
      use.flatMap((layer) =>
        Array.from({ length: heads }, (_, head) => {
          const pattern = headPattern(ids, layer, head)[(ids.length - 1) * ids.length + key] ?? 0;
          const inner = sum(embeddingOf(token).map((value, d) => value * (directionOf(id)[d] ?? 0)));
          return pattern * gain(layer, head) * Math.tanh(inner);
        }),
      ),
    );
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const cases: [parameters: Record<string, string>, use: number[], add: (parts: number[]) => number][] = [
    [{}, all, (parts) => sum(parts.map(Math.abs))],
    [{ aggregation: 'signed' }, all, sum],
    [{ layers: 'last' }, all.slice(-1), (parts) => sum(parts.map(Math.abs))],
  ];
  test.each(cases)('%j', async (parameters, use, add) => {
    const input = await prepared(attentionTimesGradient, { spec: { kind: 'id', id: 40 }, parameters });
    const ids = input.tokens.map((token) => token.id);
    close((await attentionTimesGradient.attribute(input)).scores, products(ids, 40, use).map(add), 1e-5);
  });

  test('a span adds up over its queries, before magnitudes are taken', async () => {
    const parameters = { aggregation: 'signed' };
    const both = await attentionTimesGradient.attribute(
      await prepared(attentionTimesGradient, { spec: { kind: 'span', from: 0, to: 1 }, parameters }),
    );
    const parts: Float32Array[] = [];
    for (const at of [0, 1]) {
      const spec = { kind: 'span', from: at, to: at } as const;
      parts.push((await attentionTimesGradient.attribute(await prepared(attentionTimesGradient, { spec, parameters }))).scores);
    }
    close(
      both.scores,
      Array.from(both.scores, (_, unit) => sum(parts.map((scores) => scores[unit] ?? 0))),
      1e-4,
    );
  });
});

describe('integrated gradients', () => {
  const run = async (parts: InputParts = {}, on: Model = model) =>
    await integratedGradients.attribute(await prepared(integratedGradients, parts, on));

  test.each(['midpoint', 'trapezoid'])(
    '%s: the scores add up to what the target gains, and the result says how well',
    async (rule) => {
      for (const baseline of ['end-of-text', 'zero']) {
        for (const [spec, score] of targets) {
          const parts = { spec, ...(score === undefined ? {} : { score }), parameters: { rule, baseline } };
          const { scores, completeness, warnings } = await run(parts);
          expect(completeness?.sum).toBeCloseTo(sum([...scores]), 5);
          expect(completeness?.share ?? 1).toBeLessThan(0.02);
          expect(completeness?.gap).toBeCloseTo((completeness?.expected ?? 0) - (completeness?.sum ?? 0), 12);
          expect(warnings).toEqual([]);
          const input = await prepared(integratedGradients, parts);
          // What the ends of the path give, by forward passes alone.
          const sequence = Int32Array.from([...input.tokens.map((token) => token.id), ...input.target.continuation]);
          const plain = Float32Array.from([...sequence].flatMap(embeddingOf));
          const empty = plain.slice();
          for (let at = 0; at < input.tokens.length * hidden; at++) {
            empty[at] = baseline === 'zero' ? 0 : (embeddingOf(0)[at % hidden] as number);
          }
          const read = input.target.reads(input.tokens.length);
          const before = input.target.value((await model.forward({ tokens: sequence, embeddings: empty, read })).read);
          expect(completeness?.expected).toBeCloseTo(input.value - before, 4);
        }
      }
    },
  );

  test('steps are doubled until the gap closes, and no further than allowed', async () => {
    const steep = createSmoothModel({ steepness: 40 });
    const points = async (parameters: Record<string, string | number>) => (await run({ parameters }, steep)).completeness?.steps;
    expect(await points({ steps: 2, maxSteps: 2 })).toBe(2);
    expect(await points({ steps: 3, maxSteps: 8 })).toBe(6);
    expect(await points({ steps: 3, maxSteps: 8, rule: 'trapezoid' })).toBe(7);
    expect(await points({ steps: 8, maxSteps: 1 })).toBe(8);
    const coarse = await run({ parameters: { steps: 2, maxSteps: 2 } }, steep);
    expect(coarse.completeness?.share ?? 0).toBeGreaterThan(0.05);
    expect(coarse.warnings.map(({ code, message }) => [code, message])).toEqual([
      ['W_COMPLETENESS_GAP', expect.stringMatching(/gap of \d+ %.*2 points/)],
    ]);
  });

  test('a trapezoid that was doubled equals one that began with twice the steps', async () => {
    const steep = createSmoothModel({ steepness: 40 });
    const parts = (steps: number) => ({ parameters: { rule: 'trapezoid', steps, maxSteps: 8 } });
    const doubled = await run(parts(2), steep);
    expect(doubled.completeness?.steps).toBe(9);
    close((await run(parts(8), steep)).scores, [...doubled.scores], 1e-5);
  });

  test('no finite gradient at a baseline of zeros: said with the parameter to change', async () => {
    const scaleFree = createSmoothModel({ scaleFree: true });
    const failed = run({ parameters: { baseline: 'zero', rule: 'trapezoid' } }, scaleFree);
    await expect(failed).rejects.toMatchObject({
      code: 'E_PARAMETER',
      message: expect.stringMatching(/baseline.*end-of-text/) as string,
    });
    const { scores } = await run({ parameters: { rule: 'trapezoid' } }, scaleFree);
    expect(scores.every(Number.isFinite)).toBe(true);
  });

  test('progress counts on over the doublings', async () => {
    const steep = createSmoothModel({ steepness: 40 });
    const told: [number, number][] = [];
    const input = await prepared(integratedGradients, { parameters: { steps: 2, maxSteps: 4 } }, steep);
    await integratedGradients.attribute(input, { onProgress: (done, total) => told.push([done, total]) });
    expect(told.map(([done]) => done)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(told.at(-1)).toEqual([6, 6]);
  });
});

describe('every gradient method', () => {
  const methods = [saliency, inputTimesGradient, attentionTimesGradient, integratedGradients];

  test.each(methods)('$id asks for the precision it is given, names the one it got, and tells its plan', async (method) => {
    for (const precision of ['as-served', 'dequantised'] as const) {
      const on = createSmoothModel();
      const plans: GradientPlan[] = [];
      const output = await method.attribute(await prepared(method, { parameters: { precision } }, on), {
        onPlan: (plan) => plans.push(plan),
      });
      expect(output.precision).toBe(precision);
      expect(new Set(on.gradients.map((request) => request.precision))).toEqual(new Set([precision]));
      expect(plans).toEqual([smoothPlan(precision)]);
      expect(output.forwardPasses).toBeGreaterThanOrEqual(2);
    }
  });

  test.each(methods)('$id: a cancelled run rejects', async (method) => {
    const input = await prepared(method);
    await expect(method.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  test('cancelled between two points of a path', async () => {
    const controller = new AbortController();
    const on = createSmoothModel();
    const running = integratedGradients.attribute(await prepared(integratedGradients, {}, on), {
      signal: controller.signal,
      onProgress: (done) => {
        if (done === 3) controller.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(on.gradients).toHaveLength(1);
  });

  test('what a sensitivity is measured in', async () => {
    expect((await saliency.attribute(await prepared(saliency))).scoreUnit).toBe('nat per unit of embedding');
    expect((await inputTimesGradient.attribute(await prepared(inputTimesGradient))).scoreUnit).toBeUndefined();
  });
});
