import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importanceByAblation, importanceByGradient } from '../../../src/analysis/heads/headImportance.ts';
import { repeatedSequence } from '../../../src/analysis/heads/repeatedSequence.ts';
import type { HeadReport } from '../../../src/analysis/heads/headBlocks.ts';
import { resolveTarget } from '../../../src/attribution/target.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';
import { goldenFile } from '../../llama/golden.ts';
import { toolOn } from '../runTool.ts';

const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
const tokens = Int32Array.from(ids);

describe.each(['tiny_llama', 'tiny_gpt2'])('heads of %s', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 64 });
  });
  afterAll(() => model.dispose());
  const target = () => resolveTarget({ kind: 'id', id: 7 }, 'logprob', { model, next: 0, response: [] });

  it('matter by attention × gradient as the sum over the whole pattern says', async () => {
    const asked = await target();
    const { importance } = await importanceByGradient(model, tokens, asked);
    const sites = Array.from({ length: model.info.layers }, (_, layer): Site => ({ kind: 'pattern', layer }));
    const { targets, captured } = await model.gradient({
      tokens,
      targets: [asked.gradient(tokens.length)],
      at: sites,
      capture: sites,
    });
    const block = tokens.length ** 2;
    importance.forEach((row, layer) => {
      const pattern = captured.get(`pattern.${layer}`)?.data ?? new Float32Array();
      const slope = targets[0]?.gradients.get(`pattern.${layer}`)?.data ?? new Float32Array();
      row.forEach((found, head) => {
        let sum = 0;
        for (let at = head * block; at < (head + 1) * block; at++) sum += (pattern[at] as number) * (slope[at] as number);
        expect(found).toBeCloseTo(sum, 5);
      });
    });
  });

  it('matter by ablation as a head that looks at nothing', async () => {
    const asked = await target();
    const effects = await importanceByAblation(model, tokens, asked);
    const value = async (layer: number, head: number) => {
      const nothing = { site: { kind: 'pattern', layer }, heads: [head], operation: { kind: 'zero' } } as const;
      const { read } = await model.forward({ tokens, read: asked.reads(tokens.length), patches: [nothing] });
      return asked.value(read);
    };
    const { read } = await model.forward({ tokens, read: asked.reads(tokens.length) });
    for (const [layer, row] of effects.entries()) {
      for (const [head, found] of row.entries()) {
        expect(found).toBeCloseTo(asked.value(read) - (await value(layer, head)), 5);
      }
    }
  });

  it('are described one by one, by prompt and by repeated sequence', async () => {
    const { data, blocks } = await toolOn(model, 'heads', { ids, parameters: { repeat: 10, ablate: true }, seed: 4 });
    const { heads, similarity } = data as { heads: HeadReport[]; similarity: { shape: number[]; values: Float32Array } };
    const count = model.info.layers * model.info.heads;
    expect(heads.length).toBe(count);
    expect(similarity.shape).toEqual([count, count]);
    // Brute force on the sequence that was used.
    const sequence = await repeatedSequence(model, 10, 4);
    expect([...sequence.slice(0, 10)]).toEqual([...sequence.slice(10)]);
    const { captured } = await model.forward({ tokens: sequence, capture: [{ site: { kind: 'pattern', layer: 1 } }] });
    const pattern = captured.get('pattern.1')?.data ?? new Float32Array();
    for (const report of heads.filter(({ layer }) => layer === 1)) {
      let sum = 0;
      for (let query = 10; query < 20; query++) sum += pattern[(report.head * 20 + query) * 20 + query - 9] as number;
      expect(report.repeated?.induction).toBeCloseTo(sum / 10, 5);
      expect(report.ablation).not.toBeNull();
    }
    expect(blocks.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['heat', 'table', 'text']));
    // In the table the first label stands with its evidence.
    const table = blocks.find((block) => block.kind === 'table');
    const rowOf = ({ layer, head }: HeadReport) =>
      table?.rows.find(({ cells }) => cells[0] === `L${layer}.H${head}`)?.cells ?? [];
    for (const report of heads) {
      expect(rowOf(report).slice(-2)).toEqual([
        report.labels.map(({ name }) => name).join(', '),
        report.labels[0]?.score ?? Number.NaN,
      ]);
    }
  });

  it('refuses a prompt without attention', async () => {
    await expect(toolOn(model, 'heads', { ids: [3] })).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
  });
});
