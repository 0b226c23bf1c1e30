import { expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import { readGradientGolden } from '../gradient/gradientGolden.ts';

test('a file without a vocabulary generates ids without texts, and never ends the process', async () => {
  const { file, tokens } = readGradientGolden('llama');
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  try {
    const { tokens: generated, text, finish } = await model.generate({ tokens, maxTokens: 4, temperature: 0, seed: 0, top: 2 });
    expect(generated.map(({ id }) => Number.isInteger(id))).toEqual([true, true, true, true]);
    expect([text, finish]).toEqual(['', 'length']);
    expect(await model.tokenizer.pieces([1, 2])).toEqual(['', '']);
    expect((await model.tokenizer.special()).endOfGeneration).toEqual([]);
  } finally {
    await model.dispose();
  }
});
