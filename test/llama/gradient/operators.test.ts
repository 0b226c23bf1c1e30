/** Every operator a gradient flows through has a rule; one that has none is refused by name, before anything is computed. */
import { expect, test } from 'vitest';
import { operatorRules } from '../../../src/llama/gradient/rules/ruleTable.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientRequest } from '../../../src/model/gradient.ts';
import { bundledModel } from '../golden.ts';
import { type GradientFamily, gradientFamilies, readGradientGolden } from './gradientGolden.ts';

/** What each family's graph holds between the embeddings and the logits, where a gradient flows. */
const expected: Record<GradientFamily, readonly string[]> = {
  llama: ['GLU'],
  qwen2: ['GLU'],
  qwen3: ['GLU'],
  gemma2: ['GLU', 'SCALE', 'UNARY'],
  gemma3: ['GLU', 'SCALE'],
  phi3: ['GLU', 'SCALE'],
  gpt2: ['NORM', 'UNARY'],
  qwen3moe: ['DIV', 'GLU', 'MUL_MAT_ID', 'SUM_ROWS'],
  mixtral: ['GLU', 'MUL_MAT_ID'],
};

async function flowing(file: string, tokens: Int32Array): Promise<Set<string>> {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  try {
    const nodes = await model.gradientNodes({
      tokens,
      targets: [{ kind: 'logit', terms: [{ position: tokens.length - 1, id: 1, weight: 1 }] }],
      at: [{ kind: 'embed' }],
    });
    const missing = nodes.filter(({ operator }) => !operatorRules.has(operator));
    expect(missing.map(({ operator, name }) => `${operator} ${name}`)).toEqual([]);
    return new Set(nodes.map(({ operator }) => operator));
  } finally {
    await model.dispose();
  }
}

test.each(gradientFamilies)('%s: every operator has a rule', async (family) => {
  const { file, tokens } = readGradientGolden(family);
  const found = await flowing(file, tokens);
  expect([...found]).toEqual(expect.arrayContaining(['MUL_MAT', 'SOFT_MAX', 'SET_ROWS', 'VIEW', 'ADD', ...expected[family]]));
});

test('the bundled model: every operator has a rule', async () => {
  expect((await flowing(bundledModel, Int32Array.of(1, 2, 3))).size).toBeGreaterThan(10);
});

test.each([
  ['MUL_MAT_ID', 'qwen3moe', /MUL_MAT_ID \(tensor ffn_moe_\w+-\d, layer \d\)/],
  ['NORM', 'gpt2', /NORM \(tensor [\w-]+(, layer \d)?\)/],
  ['ROPE', 'llama', /ROPE \(tensor [QK]cur-\d, layer \d\)/],
] as const)('without a rule for %s, %s is refused by name, with what still works', async (operator, family, where) => {
  const { file, tokens } = readGradientGolden(family);
  const rules = new Map([...operatorRules].filter(([name]) => name !== operator));
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0, gradientRules: rules });
  try {
    const request: GradientRequest = {
      tokens,
      targets: [{ kind: 'logit', terms: [{ position: tokens.length - 1, id: 1, weight: 1 }] }],
      at: [{ kind: 'embed' }],
    };
    const refused = model.gradient(request);
    await expect(refused).rejects.toMatchObject({
      code: 'E_GRADIENT_UNSUPPORTED',
      message: expect.stringMatching(where) as string,
    });
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('occlusion') as string });
    // Above the operator a gradient still flows.
    const above = await model.gradient({ ...request, at: [{ kind: 'final_norm' }] });
    expect(above.targets[0]?.gradients.get('final_norm')?.data.some((value) => value !== 0)).toBe(true);
  } finally {
    await model.dispose();
  }
});
