/**
 * Against label-anchor flow computed with PyTorch on the dequantised weights (test/fixtures/golden/fewshot): the bundled file,
 * dequantised, agrees tightly; as served within what its 8-bit activations do.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnchorFlow, anchorFlow, headSums, lookSaliency } from '../../../src/analysis/anchors/anchorFlow.ts';
import { anchorPlaces } from '../../../src/analysis/anchors/anchorPlaces.ts';
import { findFewShot } from '../../../src/analysis/anchors/fewShot.ts';
import { weightedAttention } from '../../../src/attribution/flow/weightedAttention.ts';
import { spearman } from '../../../src/attribution/spearman.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model, Precision } from '../../../src/model/model.ts';
import { inputFor } from '../../attribution/attributionInput.ts';
import { bundledModel, goldenArray, goldenCase, goldenFile, relativeDifference } from '../../llama/golden.ts';

type Sums = readonly { readonly S_wp: number; readonly S_pq: number; readonly S_ww: number }[];
interface Golden {
  readonly label_positions: number[];
  readonly final_position: number;
  readonly loss: number;
  readonly absum: Sums;
  readonly sumabs: Sums;
}

const golden = JSON.parse(readFileSync(goldenFile('fewshot', 'anchor.json'), 'utf8')) as Golden;
const text = readFileSync(goldenFile('fewshot', 'prompt.txt'), 'utf8');
const { ids, target_ids } = goldenCase('fewshot');
const size = ids.length;
const target = golden.final_position;

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 512 });
});
afterAll(() => model.dispose());

test('labels and the place of the answer are where the reference has them', async () => {
  const { tokens } = await model.tokenizer.encode(text);
  const prompt = { text, tokens, ids: Int32Array.from(ids), sections: [], templateRanges: [] };
  expect(tokens.map(({ id }) => id)).toEqual(ids);
  expect(anchorPlaces(prompt, findFewShot(prompt, { labels: [], prefix: '' })).labels).toEqual(golden.label_positions);
  expect(size - 1).toBe(target);
});

describe.each(['dequantised', 'as-served'] as const)('%s', (precision: Precision) => {
  const saliency = Object.fromEntries(headSums.map((sum) => [sum, [] as Float64Array[]]));
  beforeAll(async () => {
    const input = await inputFor(model, {
      ids,
      spec: { kind: 'id', id: target_ids[0] ?? 0 },
      score: 'logprob',
      parameters: { precision },
    });
    if (precision === 'as-served') expect(Math.abs(input.value + golden.loss)).toBeLessThan(0.2);
    const layers = Array.from({ length: model.info.layers }, (_, layer) => layer);
    await weightedAttention(input, layers, (layer, weighted) => {
      for (const sum of headSums) (saliency[sum] ?? [])[layer] = lookSaliency(weighted, sum);
    });
  });

  const isExact = precision === 'dequantised';

  test('saliency of looks', () => {
    const found = saliency['sum-of-magnitudes'] ?? [];
    const last = Float32Array.from(found.flatMap((layer) => [...layer.slice(target * size)]));
    const expectedLast = goldenArray('fewshot', 'anchor_I_last.f32');
    const selected = Float32Array.from([0, 10, 20, 29].flatMap((layer) => [...(found[layer] ?? [])]));
    const expectedSelected = goldenArray('fewshot', 'anchor_I_sel.f32');
    for (const [values, expected] of [
      [last, expectedLast],
      [selected, expectedSelected],
    ] as const) {
      if (isExact) expect(relativeDifference(values, expected)).toBeLessThan(4e-3);
      expect(spearman(values, expected)).toBeGreaterThan(isExact ? 0.9999 : 0.98);
    }
  });

  test.each([
    ['sum-of-magnitudes', 'absum'],
    ['magnitude-of-sum', 'sumabs'],
  ] as const)('%s: S_wp, S_pq, S_ww of every layer', (sum, name) => {
    const flows = (saliency[sum] ?? []).map((layer) => anchorFlow(layer, size, golden.label_positions, target));
    const kinds: [keyof AnchorFlow, keyof Sums[number]][] = [
      ['textToLabel', 'S_wp'],
      ['labelToTarget', 'S_pq'],
      ['other', 'S_ww'],
    ];
    for (const [ours, theirs] of kinds) {
      const values = flows.map((flow) => flow[ours]);
      const expected = golden[name].map((flow) => flow[theirs]);
      if (isExact) expect(relativeDifference(values, expected)).toBeLessThan(4e-3);
      expect(spearman(values, expected)).toBeGreaterThan(isExact ? 0.999 : 0.95);
    }
  });
});
