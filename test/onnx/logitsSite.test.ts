/** The logits as a site of a forward pass: read and changed as on llama.cpp with the same weights. */
import { expect, test } from 'vitest';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { ForwardRequest } from '../../src/model/model.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import { modelFile, relativeError } from './fixture.ts';
import { writeLlamaTwin } from './ggufTwin.ts';

const tokens = Int32Array.of(17, 201, 33, 5, 144);
const site = { kind: 'logits' } as const;
const read = [{ position: 4, ids: [3, 7] }];
const requests: Readonly<Record<string, ForwardRequest>> = {
  'captured beside the last row': { tokens, logits: 'last', capture: [{ site }] },
  'captured beside a read': { tokens, read, capture: [{ site }] },
  'scaled at one position': {
    tokens,
    logits: 'all',
    patches: [{ site, positions: [2], operation: { kind: 'scale', factor: 0.5 } }],
  },
  'scaled at the position that is read': {
    tokens,
    read,
    patches: [{ site, positions: [4], operation: { kind: 'scale', factor: 2 } }],
  },
  'captured after a change': {
    tokens,
    logits: 'last',
    capture: [{ site }],
    patches: [{ site: { kind: 'z', layer: 1 }, heads: [0], operation: { kind: 'zero' } }],
  },
};

test.each(Object.entries(requests))('%s', async (_, request) => {
  const twin = writeLlamaTwin();
  const models = [
    await openOnnxModel(modelFile('llama_optimum_kv'), { threads: 1, contextLength: 0 }),
    await openLlamaModel(twin.file, { threads: 1, contextLength: 0 }),
  ] as const;
  try {
    const [onnx, llama] = [await models[0].forward(request), await models[1].forward(request)];
    const numbers = ({ logits, read: rows, captured }: typeof onnx) => ({
      logits: logits?.values ?? [],
      read: rows.flatMap((row) => [...row.logits, row.logSumExp]),
      captured: captured.get('logits')?.data ?? [],
    });
    for (const [what, values] of Object.entries(numbers(onnx))) {
      expect(relativeError(values, numbers(llama)[what as 'logits']), what).toBeLessThan(1e-5);
    }
    expect(onnx.captured.get('logits')?.shape).toEqual(llama.captured.get('logits')?.shape);
  } finally {
    for (const model of models) await model.dispose();
    twin.remove();
  }
});
