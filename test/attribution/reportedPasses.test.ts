/** What a method says it cost against what the runtime really computed: every position of every pass is counted where it is run. */
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { measureFaithfulness } from '../../src/analysis/faithfulness/measureFaithfulness.ts';
import { settledTail } from '../../src/attribution/ensemble/settledTail.ts';
import { CoalitionGame } from '../../src/attribution/perturbation/coalitions.ts';
import { attributionMethods, resolveParameters } from '../../src/attribution/registry.ts';
import { openModel } from '../../src/engine/openModel.ts';
import { LlamaContext } from '../../src/llama/evaluation/context.ts';
import type { Model } from '../../src/model/model.ts';
import { type TwinModels, writeTwinModels } from '../onnx/twinModels.ts';
import { inputFor } from './attributionInput.ts';

const ids = [7, 30, 101, 33, 260, 12, 99, 41, 205, 60, 18, 300, 77, 54, 131, 9, 240, 88, 63, 15];
const spec = { kind: 'response' } as const;
const response = [44, 45, 46];
/** A response of three tokens is two positions behind the prompt. */
const length = ids.length + response.length - 1;
const small: Readonly<Record<string, Record<string, number>>> = {
  'permutation-importance': { repeats: 2 },
  'exact-shapley': {},
  'kernel-shap': { samples: 32 },
  'permutation-shapley': { pairs: 2 },
  'partition-shapley': { samples: 32 },
  lime: { samples: 32 },
  'decision-tree': { samples: 32 },
  reagent: { samples: 16 },
  anchors: { maxSamples: 60 },
};
const perturbing = attributionMethods.filter(({ id, needs }) => id !== 'random' && needs.every((need) => need === 'forward'));

interface Runs {
  run(feeds: Readonly<Record<string, Tensor>>, outputs: readonly string[]): Promise<Record<string, Tensor>>;
}
const sessions = (InferenceSession as unknown as { readonly prototype: Runs }).prototype;

/** Tokens of each pass that either runtime is given while `run` runs. */
async function computed(run: () => Promise<number>): Promise<{ readonly reported: number; readonly passes: number[] }> {
  const [onnx, llama] = [vi.spyOn(sessions, 'run'), vi.spyOn(LlamaContext.prototype, 'decode')];
  const reported = await run();
  const passes = [
    ...onnx.mock.calls.map(([feeds]) => feeds['input_ids']?.dims[1] ?? Number.NaN),
    ...llama.mock.calls.map(([{ tokens }]) => tokens.length),
  ];
  return { reported, passes };
}

let twins: TwinModels;

beforeAll(() => {
  twins = writeTwinModels();
});
afterAll(() => twins.remove());

describe.each(['onnx', 'onnxWhole', 'gguf'] as const)('%s', (format) => {
  let model: Model;
  beforeAll(async () => {
    model = await openModel(twins[format], { threads: 1, contextLength: 64 });
    expect(model.info.sharesBeginnings).toBe(format !== 'onnxWhole');
    // llama.cpp proves once on each model that a kept beginning changes no bit.
    const variants = [9, 10].map((last) => ({
      tokens: Int32Array.of(1, 2, 3, 4, 5, 6, last),
      read: [{ position: 6, ids: [1] }],
    }));
    await model.forwardVariants({ variants });
  });
  afterAll(() => model.dispose());

  /**
   * Positions computed against those reported. Prompts are counted without the response behind them, which orders a few of them
   * otherwise; llama.cpp goes back up to two tokens further than where a kept beginning ends.
   */
  async function check(run: () => Promise<number>): Promise<number> {
    // Nothing of what is asked now is held from before.
    await model.forward({ tokens: Int32Array.of(1, 1, 1), logits: 'last' });
    const { reported, passes } = await computed(run);
    expect(passes.length).toBeGreaterThan(0);
    const positions = passes.reduce((sum, tokens) => sum + tokens, 0);
    const expected = Math.round(reported * length);
    const off = { onnxWhole: 0, onnx: passes.length / 4, gguf: 2 * passes.length }[format];
    expect(positions).toBeGreaterThanOrEqual(expected);
    expect(positions).toBeLessThanOrEqual(expected + off);
    return positions;
  }

  test.each(perturbing.map((method) => [method.id, method] as const))('%s', async (id, method) => {
    const groups = id === 'exact-shapley' ? [[0, 1, 2], [3, 4], [5, 6, 7, 8], [9, 10, 11], [12], [13, 14]] : undefined;
    const parameters = resolveParameters(method, small[id] ?? {});
    const input = await inputFor(model, { ids, spec, response, parameters, ...(groups === undefined ? {} : { groups }) });
    await check(async () => (await method.attribute(input)).forwardPasses);
  });

  test('the order of the last units, within its budget', async () => {
    const input = await inputFor(model, { ids, spec, response });
    const game = await CoalitionGame.open(input, { units: input.units.map((_, unit) => unit) });
    const scores = input.units.map((_, unit) => Math.sin(unit));
    await check(async () => {
      await settledTail(game, input, scores, 6);
      expect(game.forwardPasses).toBeLessThanOrEqual(6);
      return game.forwardPasses;
    });
  });

  // The lowest budget buys nothing: the shallowest check is made all the same.
  test.each([60, 12, 0])('the check of a picture, within its budget of %i', async (budget) => {
    const { units, target, value } = await inputFor(model, { ids, spec, response });
    const scores = Float32Array.from(units, (_, unit) => Math.sin(unit));
    const positions = await check(async () => {
      const outcome = await measureFaithfulness({
        ...{ model, ids: Int32Array.from(ids), units, scores, target, value, seed: 1, budget },
        ...{ signed: true, slopes: false, completeness: undefined, measures: [], noise: 0 },
      });
      expect(outcome.measured).not.toBeNull();
      return outcome.forwardPasses;
    });
    // Where beginnings are shared the budget is of counted positions, and going back comes on top.
    if (format === 'onnxWhole') expect(positions).toBeLessThanOrEqual(Math.max(budget, 10) * length);
  });
});
