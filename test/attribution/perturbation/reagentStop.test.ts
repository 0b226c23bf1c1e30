/**
 * ReAGent's stopping rule on a tiny model, against what a plain reading of it says: every prompt the method asks for is recorded and
 * evaluated again by an own full pass, the contrasts and the ranks are computed from all of them at once.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AttributionInput } from '../../../src/attribution/method.ts';
import { reagent } from '../../../src/attribution/perturbation/reagent.ts';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { testModels } from '../../setup/testModels.ts';
import { fullValue, inputFor, type InputParts } from '../attributionInput.ts';

let tiny: Model;
beforeAll(async () => {
  tiny = await openLlamaModel(testModels.tinyLlama, { threads: 1, contextLength: 256 });
});
afterAll(async () => {
  await tiny.dispose();
});

const text = 'The cat sat on the mat and then';

/** The input on a model that remembers the prompts of variants, in the order they were asked for. */
async function recorded(
  parts: InputParts,
  given: Record<string, number>,
): Promise<{ input: AttributionInput; asked: Int32Array[] }> {
  const asked: Int32Array[] = [];
  const model: Model = {
    ...tiny,
    forward: (request, options) => tiny.forward(request, options),
    forwardVariants: (request, options) => {
      asked.push(...request.variants.map(({ tokens }) => tokens));
      return tiny.forwardVariants(request, options);
    },
  };
  const input = await inputFor(tiny, { text, parameters: resolveParameters(reagent, given), ...parts });
  return { input: { ...input, model }, asked };
}

const promptOf = ({ target }: AttributionInput, sequence: Int32Array) =>
  sequence.subarray(0, sequence.length - target.continuation.length);

/** Whether each unit holds another token than in the prompt; the first token is never replaced. */
const changedUnits = ({ units, tokens }: AttributionInput, prompt: Int32Array) =>
  units.map((unit) => unit.tokens.some((token) => prompt[token] !== tokens[token]?.id));

/** Mean value of the prompts that keep the unit minus mean of those that change it. */
function plainContrasts(input: AttributionInput, changed: boolean[][], values: number[]): number[] {
  const mean = (some: number[]) => some.reduce((sum, value) => sum + value, 0) / some.length;
  return input.units.map((_, unit) => {
    const [kept, gone] = [false, true].map((side) => values.filter((_value, sample) => changed[sample]![unit] === side));
    return kept!.length === 0 || gone!.length === 0 ? 0 : mean(kept!) - mean(gone!);
  });
}

/** Whether the answer is among the model's first `stop`, each token at its place, by sorting whole rows. */
async function isAmongFirst(input: AttributionInput, sequence: Int32Array, stop: number): Promise<boolean> {
  const { logits } = await tiny.forward({ tokens: sequence, logits: 'all' });
  const vocabulary = tiny.info.vocabulary;
  return input.target.reads(promptOf(input, sequence).length).every(({ position, ids }) => {
    const row = logits!.values.subarray(position * vocabulary, (position + 1) * vocabulary);
    const order = Array.from(row.keys()).sort((a, b) => row[b]! - row[a]!);
    return order.slice(0, stop).includes(ids[0]!);
  });
}

describe.each<[name: string, parts: InputParts]>([
  ['the next token', { spec: { kind: 'next' } }],
  ['a text of several tokens', { spec: { kind: 'text', text: 'it' } }],
  ['one token rather than another', { spec: { kind: 'contrast', a: 'e', b: 't' } }],
  ['units of several tokens', { spec: { kind: 'next' }, groups: [[0, 1, 2], [3, 4], [5], [6, 7], [8, 9, 10, 11]] }],
])('%s', (_name, parts) => {
  test.each([
    [1, 0.3],
    [5, 0.3],
    [20, 0.6],
    [267, 0.1],
  ])('among the first %i, share %f kept', async (stop, keep) => {
    const samples = 12;
    const { input, asked } = await recorded({ ...parts, seed: 4 }, { stop, keep, samples, runs: 1 });
    const { scores, forwardPasses, warnings } = await reagent.attribute(input);
    expect(asked.length % 2).toBe(0);
    const steps = asked.length / 2;
    // The proposals are read without the answer behind the prompt.
    const { length } = input.tokens;
    expect(forwardPasses).toBeCloseTo(length / (length + input.target.continuation.length) + asked.length, 9);
    const drawn = asked.filter((_, at) => at % 2 === 0);
    const changed = drawn.map((sequence) => changedUnits(input, promptOf(input, sequence)));
    const values = await Promise.all(drawn.map((sequence) => fullValue(tiny, promptOf(input, sequence), input.target)));
    for (let step = 1; step <= steps; step++) {
      const contrasts = plainContrasts(input, changed.slice(0, step), values.slice(0, step));
      const tested = asked[2 * step - 1]!;
      const keptUnits = changedUnits(input, promptOf(input, tested)).flatMap((gone, unit) => (gone ? [] : [unit]));
      const count = Math.ceil(keep * input.units.length);
      const lowest = [...contrasts].sort((a, b) => b - a)[count - 1]!;
      // All above the last one kept are kept; none below it is, but the first token's unit, which has no proposals where it is alone.
      contrasts.forEach((contrast, unit) => {
        if (contrast > lowest + 1e-9) expect(keptUnits).toContain(unit);
        if (contrast < lowest - 1e-9 && (unit > 0 || input.units[0]!.tokens.length > 1)) expect(keptUnits).not.toContain(unit);
      });
      const holds = await isAmongFirst(input, tested, stop);
      if (step < steps) expect(holds).toBe(false);
      else expect(holds || steps === samples).toBe(true);
      if (step === steps) {
        contrasts.forEach((contrast, unit) => expect(scores[unit]).toBeCloseTo(contrast, 4));
        expect(warnings.map(({ code }) => code)).toEqual(holds ? [] : ['W_STOPPING_RULE']);
      }
    }
    // Among all tokens of the vocabulary it always is.
    if (stop === 267) expect(steps).toBe(1);
  });
});

test('the scores are the mean over runs, the same for the same seed', async () => {
  const given = { stop: 5, keep: 0.3, samples: 10, runs: 3 };
  const { input, asked } = await recorded({ seed: 2 }, given);
  const first = await reagent.attribute(input);
  expect((await reagent.attribute(input)).scores).toEqual(first.scores);
  expect(first.forwardPasses).toBe(1 + asked.length / 2);
  expect(first.scores.some((score) => score !== 0)).toBe(true);
});

test('a target without tokens: no run is ended early, and that is said', async () => {
  const { input, asked } = await recorded({ spec: { kind: 'entropy' } }, { stop: 5, samples: 6, runs: 1 });
  const { warnings } = await reagent.attribute(input);
  expect(warnings).toEqual([{ code: 'W_STOPPING_RULE', message: expect.stringContaining('no token') as string }]);
  expect(asked.length).toBe(6);
});

test('a cancelled run ends', async () => {
  const { input } = await recorded({}, { stop: 1, samples: 4000 });
  const controller = new AbortController();
  const onProgress = (done: number) => {
    if (done === 3) controller.abort();
  };
  await expect(reagent.attribute(input, { signal: controller.signal, onProgress })).rejects.toThrow();
});
