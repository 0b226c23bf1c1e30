import { expect, test } from 'vitest';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { allPrompts } from './promptsAsked.ts';
import { kernel, lime } from '../../../src/attribution/surrogate/lime.ts';
import { spearman } from '../../../src/attribution/spearman.ts';
import { inputFor } from '../attributionInput.ts';
import { createLinearModel, weight } from '../linearModel.ts';
import { goldenGame, libraryScores } from './goldenTable.ts';

const parameters = (given: Record<string, string | number | boolean>) => resolveParameters(lime, given);

test('the kernel is the one of cosine distance', () => {
  expect(kernel([1, 1, 1, 1], 0.25)).toBe(1);
  expect(kernel([1, 0, 0, 0], 0.5)).toBeCloseTo(Math.exp(-(0.5 ** 2) / 0.25), 12);
  expect(kernel([0, 0], 2)).toBeCloseTo(Math.exp(-1 / 4), 12);
  expect(kernel([], 1)).toBe(1);
});

test.each(['fact', 'ioi'])('all coalitions of %s: weighted least squares', async (name) => {
  const { rows, values, input } = goldenGame(name);
  const given = { samples: 1024, lambda: 1e-6, keepLast: false, kernelWidth: 0.3 };
  const { scores, findings } = await lime.attribute(await input({ parameters: parameters(given) }));
  // Of least squares: no column has a part in the weighted errors.
  const intercept = findings?.fit?.intercept ?? Number.NaN;
  const errors = rows.map((row, sample) => {
    const prediction = row.reduce((sum, there, unit) => sum + there * (scores[unit] as number), intercept);
    return kernel(row, 0.3) * ((values[sample] as number) - prediction);
  });
  const total = rows.reduce((sum, row) => sum + kernel(row, 0.3), 0);
  for (let unit = 0; unit < scores.length; unit++) {
    const slope = errors.reduce((sum, error, sample) => sum + error * (rows[sample]?.[unit] as number), 0);
    expect(slope / total).toBeCloseTo(0, 5);
  }
  expect(errors.reduce((sum, error) => sum + error, 0) / total).toBeCloseTo(0, 5);
  expect(findings?.fit?.samples).toBe(rows.length);
});

test('without a kernel the closed form is the difference of means', async () => {
  const { rows, values, input } = goldenGame('ioi');
  const given = { samples: 1024, lambda: 1e-6, keepLast: false, kernelWidth: 100 };
  const { scores } = await lime.attribute(await input({ parameters: parameters(given) }));
  scores.forEach((score, unit) => {
    const difference = rows.reduce((sum, row, sample) => sum + (2 * (row[unit] as number) - 1) * (values[sample] as number), 0);
    expect(score).toBeCloseTo((2 * difference) / rows.length, 2);
  });
});

test.each(['fact', 'ioi'])('%s: the order Captum finds with 200 samples', async (name) => {
  const { input } = goldenGame(name);
  const captum = libraryScores(name)['captum Lime 200'] ?? [];
  const { scores } = await lime.attribute(await input({ parameters: parameters({ keepLast: false }) }));
  expect(spearman(scores, captum)).toBeGreaterThan(0.7);
  expect(scores.indexOf(Math.max(...scores))).toBe(captum.indexOf(Math.max(...captum)));
});

test.each(['ridge', 'lasso'])('%s on a model that is a sum', async (regressor) => {
  const text = 'The cat sat on the mat of Paris';
  const input = await inputFor(createLinearModel(), {
    text,
    spec: { kind: 'id', id: 40 },
    parameters: parameters({ regressor, lambda: 1e-6, samples: 60 }),
  });
  const { scores, findings } = await lime.attribute(input);
  const last = input.tokens.length - 1;
  input.tokens.forEach(({ id }, index) => {
    expect(scores[index]).toBeCloseTo(index === last ? 0 : weight(id, 40), 3);
  });
  expect(findings?.fit?.r2).toBeCloseTo(1, 6);
  expect(findings?.fit?.heldOut).toBeGreaterThan(0.99);
  expect(findings?.fit?.intercept).toBeCloseTo(weight(input.tokens[last]?.id ?? 0, 40), 3);
});

test('no prompt is put to the model twice', async () => {
  const model = createLinearModel();
  const input = await inputFor(model, { text: 'The cat sat on the mat', parameters: parameters({ samples: 31 }) });
  await lime.attribute(input);
  const asked = allPrompts(model);
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.length).toBeLessThanOrEqual(31);
  const all = await inputFor(createLinearModel(), { text: 'The cat sat on the mat', parameters: parameters({ samples: 32 }) });
  await lime.attribute(all);
  expect(allPrompts(all.model)).toHaveLength(32);
});
