/** The main job with methods that take gradients, on a model whose gradients are known in closed form. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/engine/requests/explain.ts';
import { type Explanation, explanationSchema } from '../../../src/shared/explanation.ts';
import type { ExplainRequest } from '../../../src/shared/protocol/engine.ts';
import type { TargetSpec } from '../../../src/shared/target.ts';
import { createSmoothModel, type SmoothModelOptions } from '../../attribution/smoothModel.ts';
import { recordRequest, type Recorder } from './requestRecorder.ts';

const methods = ['saliency', 'input-x-gradient', 'attention-x-gradient', 'integrated-gradients'];
const text = 'The cat sat on the mat.\n\nParis is the capital';

const request = (parts: Partial<ExplainRequest> = {}): ExplainRequest => ({
  prompt: { text, format: 'markdown', mode: 'raw' },
  method: 'saliency',
  target: { kind: 'next' },
  granularity: 'word',
  maxTokens: 3,
  seed: 1,
  progressive: false,
  faithfulness: false,
  ...parts,
});

const recorder = (options: SmoothModelOptions = {}, signal?: AbortSignal): Recorder =>
  recordRequest(createSmoothModel(options), signal);
const run = (parts: Partial<ExplainRequest>, context = recorder()): Promise<Explanation> => explain(context, request(parts));

describe.each(methods)('%s', (method) => {
  const targets: TargetSpec[] = [
    { kind: 'next' },
    { kind: 'response' },
    { kind: 'span', from: 1, to: 2 },
    { kind: 'text', text: ' Paris is' },
    { kind: 'id', id: 40 },
    { kind: 'contrast', a: ' Paris', b: ' London', at: 1 },
  ];
  test.each(targets)('$kind: an explanation that fits the schema', async (target) => {
    const explanation = await run({ method, target });
    expect(v.safeParse(explanationSchema, JSON.parse(JSON.stringify(explanation))).issues).toBeUndefined();
    expect(explanation.scores).toHaveLength(explanation.units.length);
    expect(explanation.scores.some((score) => score !== 0)).toBe(true);
    expect('completeness' in explanation).toBe(method === 'integrated-gradients');
    expect(explanation.scoreUnit === undefined).toBe(method !== 'saliency');
  });

  test('the precision that was used is part of the result', async () => {
    for (const precision of ['as-served', 'dequantised'] as const) {
      const { model, method: used } = await run({ method, parameters: { precision } });
      expect([model.precision, used.parameters.precision]).toEqual([precision, precision]);
    }
  });

  test('attention first, then all words at once, and no sections between', async () => {
    const context = recorder();
    const final = await run({ method, progressive: true }, context);
    expect(context.partials.map(({ stage }) => stage)).toEqual(['attention', 'units']);
    const last = context.partials.at(-1)?.explanation;
    expect([last?.scores, last?.completeness, last?.scoreUnit]).toEqual([final.scores, final.completeness, final.scoreUnit]);
    expect((await run({ method })).scores).toEqual(final.scores);
  });

  test('what it will need is told before it runs', async () => {
    const context = recorder();
    await run({ method, parameters: { precision: 'dequantised' } }, context);
    expect(context.phases).toContain('gradient (0.6 GB)');
    expect(context.phases).not.toContain(method);
    expect(new Set(context.details)).toEqual(
      new Set(['gradient: needs 612 MB beside the model, 4,000 MB allowed; in one piece, dequantised, ggml kernel']),
    );
  });

  test('a graph without a rule names the methods that still work', async () => {
    await expect(run({ method }, recorder({ unsupported: true }))).rejects.toMatchObject({
      code: 'E_GRADIENT_UNSUPPORTED',
      message: expect.stringMatching(/SSM_SCAN.*no rule.*occlusion.*attention.*random/) as string,
    });
  });

  test('cancelled in the middle', async () => {
    const controller = new AbortController();
    const context = recorder({}, controller.signal);
    const cancelling: Recorder = {
      ...context,
      progress: (phase) => {
        if (phase.startsWith('gradient')) controller.abort();
      },
    };
    await expect(run({ method }, cancelling)).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  test('its ranking is checked like any other', async () => {
    const { faithfulness, warnings } = await run({ method, faithfulness: true });
    expect(faithfulness?.verdict).toMatch(/trusted|weak|untrusted/);
    expect(warnings.map(({ code }) => code)).not.toContain('W_FAITHFULNESS_NOT_MEASURED');
  });
});

test('hidden units keep their scores, so that a sum stays a sum', async () => {
  const chat = await run({ method: 'integrated-gradients', prompt: { text: 'The cat', format: 'markdown', mode: 'chat' } });
  const hidden = chat.scores.filter((_score, unit) => chat.units[unit]?.kind !== 'text');
  expect(hidden.some((score) => score !== 0)).toBe(true);
  expect(chat.scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(chat.completeness?.sum ?? 0, 4);
});
