/** Surrogates on the bundled model itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { lime } from '../../../src/attribution/surrogate/lime.ts';
import { sparseSurrogate } from '../../../src/attribution/surrogate/sparseSurrogate.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model, RowResult } from '../../../src/model/model.ts';
import { bundledModel } from '../../llama/golden.ts';
import { fullValue, inputFor } from '../attributionInput.ts';
import { goldenTable } from './goldenTable.ts';

/** `The capital of France is`, next ` Paris`. */
const ids = [504, 3575, 282, 4649, 314];
const paris = 7042;

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 256 });
});
afterAll(async () => {
  await model.dispose();
});

test('LIME over all coalitions is the least squares fit of the stored table, within the rounding of the weights', async () => {
  const { rows, values } = goldenTable('fact');
  const parameters = resolveParameters(lime, { samples: 32, keepLast: false, kernelWidth: 100, lambda: 1e-6 });
  const { scores } = await lime.attribute(
    await inputFor(model, { ids, spec: { kind: 'id', id: paris }, score: 'logprob', parameters }),
  );
  scores.forEach((score, unit) => {
    const difference = rows.reduce((sum, row, sample) => sum + (2 * (row[unit] ?? 0) - 1) * (values[sample] ?? 0), 0);
    expect(Math.abs(score - (2 * difference) / rows.length)).toBeLessThan(0.5);
  });
});

test('a later span of a response is read from what was kept, and is what full passes give', async () => {
  const response = [paris, 30, 198];
  const ablations = new Map<string, readonly RowResult[]>();
  const parameters = resolveParameters(sparseSurrogate, { lambda: 1e-9 });
  const explain = async (from: number, to: number) => {
    const input = await inputFor(model, { ids, response, spec: { kind: 'span', from, to }, parameters });
    return { input, output: await sparseSurrogate.attribute({ ...input, ablations }) };
  };
  expect((await explain(0, 2)).output.forwardPasses).toBeGreaterThan(0);
  const { input, output } = await explain(1, 2);
  expect(output.forwardPasses).toBe(0);
  // All 16 coalitions of the units before the last one: half the difference of means is the least squares fit.
  for (let unit = 0; unit < 4; unit++) {
    let difference = 0;
    for (let bits = 0; bits < 16; bits++) {
      const prompt = ids.filter((_id, token) => token === 4 || ((bits >> token) & 1) === 1);
      difference += (2 * ((bits >> unit) & 1) - 1) * (await fullValue(model, Int32Array.from(prompt), input.target));
    }
    expect(output.scores[unit]).toBeCloseTo(difference / 8, 4);
  }
});
