import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import { bundledModel, goldenCase } from '../golden.ts';

const { ids, target_ids: response } = goldenCase('chat');
const tokens = Int32Array.from([...ids, ...response.slice(0, -1)]);
const terms = response.map((id, step) => ({ position: ids.length - 1 + step, id, weight: 1 }));
const whole: GradientTarget = { kind: 'logprob', terms };
// Every target reads the same rows, so all runs have graphs of the same shape.
const reading = (step: number): GradientTarget => ({
  kind: 'logprob',
  terms: terms.map((term, index) => ({ ...term, weight: index === step ? 1 : 0 })),
});

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 256 });
});
afterAll(() => model.dispose());

const gradients = async (targets: readonly GradientTarget[]) => {
  const result = await model.gradient({ tokens, targets, at: [{ kind: 'embed' }] });
  return result.targets.map((target) => target.gradients.get('embed')?.data);
};

test('several targets after a single one, in a graph of the same shape, are what each gives alone', async () => {
  await gradients([whole]);
  const together = await gradients([reading(0), reading(4), reading(0)]);
  const [first] = await gradients([reading(0)]);
  const [second] = await gradients([reading(4)]);
  expect(together).toEqual([first, second, first]);
});
