/** Attention weighted by a gradient, and gradients in a capture, on a model whose gradients are known in closed form. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attentionGrid, attentionHead } from '../../../src/engine/requests/attention.ts';
import { captureToFile } from '../../../src/engine/requests/capture.ts';
import type { AttentionWeighting, CaptureToFileRequest } from '../../../src/shared/protocol/engine.ts';
import { createLinearModel, headPattern, idOf, linearInfo } from '../../attribution/linearModel.ts';
import { createSmoothModel, directionOf, embeddingOf, gain } from '../../attribution/smoothModel.ts';
import { recordRequest } from './requestRecorder.ts';

const prompt = { text: 'The cat sat', format: 'text', mode: 'raw' } as const;
const model = createSmoothModel();
const { layers, heads, hidden } = linearInfo;
const logitOf40: AttentionWeighting = { target: { kind: 'id', id: 40 }, maxTokens: 2, seed: 1 };
const span: AttentionWeighting = { target: { kind: 'span', from: 0, to: 1 }, response: ' Paris is', maxTokens: 2, seed: 1 };

/** A · d logit / d A of one head, where only the last row reads, [query, key]. */
function weighted(ids: readonly number[], layer: number, head: number, id = 40): Float64Array {
  const pattern = headPattern(ids, layer, head);
  const last = ids.length - 1;
  return pattern.map((share, at) => {
    if (Math.floor(at / ids.length) !== last) return 0;
    const token = ids[at % ids.length] ?? 0;
    const inner = embeddingOf(token).reduce((sum, value, d) => sum + value * (directionOf(id)[d] ?? 0), 0);
    return share * gain(layer, head) * Math.tanh(inner);
  });
}

describe('attention × gradient', () => {
  test('one head whole, signed, named after the target', async () => {
    const request = { prompt, layer: 2, head: 1, weighting: logitOf40 };
    const { tokens, shape, values, weightedBy } = await attentionHead(recordRequest(model), request);
    expect([shape, weightedBy]).toEqual([[3, 3], { label: 'D', unit: 'logit' }]);
    weighted(
      tokens.map(({ id }) => id),
      2,
      1,
    ).forEach((value, at) => expect(values[at]).toBeCloseTo(value, 5));
  });

  test('all heads small: of each block the value of largest magnitude, with its sign', async () => {
    const grid = await attentionGrid(recordRequest(model), { prompt, size: 2, weighting: logitOf40 });
    expect(grid).toMatchObject({ layers, heads, size: 2, weightedBy: { unit: 'logit' } });
    expect(grid.thumbnails.some((value) => value < 0) && grid.thumbnails.some((value) => value > 0)).toBe(true);
    const ids = grid.tokens.map(({ id }) => id);
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        const whole = weighted(ids, layer, head);
        const blocks = [0, 0, 0, 0];
        whole.forEach((value, at) => {
          const block = 2 * Math.floor((Math.floor(at / 3) * 2) / 3) + Math.floor(((at % 3) * 2) / 3);
          if (Math.abs(value) > Math.abs(blocks[block] ?? 0)) blocks[block] = value;
        });
        const start = (layer * heads + head) * 4;
        blocks.forEach((value, at) => expect(grid.thumbnails[start + at]).toBeCloseTo(value, 5));
      }
    }
  });

  test('the tokens a target stands on attend too, after the prompt', async () => {
    const { tokens, shape, weightedBy } = await attentionHead(recordRequest(model), {
      prompt,
      layer: 0,
      head: 0,
      weighting: span,
    });
    expect(tokens.map(({ text }) => text)).toEqual([
      ...(await model.tokenizer.pieces(tokens.slice(0, 3).map(({ id }) => id))),
      ' Paris',
    ]);
    expect(tokens.at(-1)).toMatchObject({ id: idOf(' Paris'), start: prompt.text.length, end: prompt.text.length });
    expect([shape, weightedBy]).toEqual([[4, 4], { label: ' Paris is', unit: 'nat' }]);
  });

  test('no response is written for a target that reads none', async () => {
    const fresh = createSmoothModel();
    const calls = { generate: 0 };
    const counting = {
      ...fresh,
      generate: (...call: Parameters<typeof fresh.generate>) => (calls.generate++, fresh.generate(...call)),
    };
    await attentionHead(recordRequest(counting), {
      prompt,
      layer: 0,
      head: 0,
      weighting: { ...logitOf40, target: { kind: 'next' } },
    });
    expect(calls.generate).toBe(0);
    const response = { ...logitOf40, target: { kind: 'response' } } as const;
    await attentionHead(recordRequest(counting), { prompt, layer: 0, head: 0, weighting: response });
    expect(calls.generate).toBe(1);
  });

  const wrong: [name: string, weighting: AttentionWeighting, on: Parameters<typeof createSmoothModel>[0] | null, code: string][] =
    [
      ['a model without gradients', logitOf40, null, 'E_METHOD_UNSUPPORTED'],
      ['a graph without a rule', logitOf40, { unsupported: true }, 'E_GRADIENT_UNSUPPORTED'],
      ['a span past the response', { ...span, target: { kind: 'span', from: 0, to: 9 } }, {}, 'E_TARGET_RANGE'],
      ['an id past the vocabulary', { ...span, target: { kind: 'id', id: 1e6 } }, {}, 'E_TARGET_RANGE'],
      [
        'a response that does not fit',
        { ...span, target: { kind: 'text', text: ' Paris is' } },
        { contextLength: 3 },
        'E_CONTEXT_OVERFLOW',
      ],
    ];
  test.each(wrong)('%s', async (_name, weighting, on, code) => {
    const context = recordRequest(on === null ? createLinearModel() : createSmoothModel(on));
    await expect(attentionHead(context, { prompt, layer: 0, head: 0, weighting })).rejects.toMatchObject({ code });
    await expect(attentionGrid(context, { prompt, size: 4, weighting })).rejects.toMatchObject({ code });
  });

  test('cancelled in the middle', async () => {
    const controller = new AbortController();
    const context = { ...recordRequest(model, controller.signal), progress: () => controller.abort() };
    await expect(attentionGrid(context, { prompt, size: 4, weighting: logitOf40 })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});

describe('capture with gradients', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loupe-gradients-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const request = (parts: Partial<CaptureToFileRequest> = {}): CaptureToFileRequest => ({
    prompt,
    sites: ['embed', 'pattern'],
    layers: [1],
    gradients: { ...span, precision: 'dequantised' },
    out: join(folder, 'out.safetensors'),
    ...parts,
  });

  test('the file holds both of each site, of the whole sequence, and what they were made from', async () => {
    const { tensors, out } = await captureToFile(recordRequest(model), request());
    expect(tensors).toEqual([
      { name: 'embed', shape: [4, hidden] },
      { name: 'grad.embed', shape: [4, hidden] },
      { name: 'pattern.1', shape: [heads, 4, 4] },
      { name: 'grad.pattern.1', shape: [heads, 4, 4] },
    ]);
    const file = await readFile(out);
    const length = Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, Record<string, string>> &
      Record<string, { data_offsets: [number, number] }>;
    const metadata = header.__metadata__ as Record<string, string>;
    const tokens = JSON.parse(metadata.tokens ?? '') as number[];
    expect(tokens.slice(3)).toEqual([idOf(' Paris')]);
    const gradient = await model.gradient({
      tokens: Int32Array.from(tokens),
      targets: [
        {
          kind: 'logprob',
          terms: [
            { position: 2, id: idOf(' Paris'), weight: 1 },
            { position: 3, id: idOf(' is'), weight: 1 },
          ],
        },
      ],
      at: [{ kind: 'embed' }, { kind: 'pattern', layer: 1 }],
    });
    expect(metadata).toMatchObject({ model_sha256: '0'.repeat(64), precision: 'dequantised', prompt_tokens: '3' });
    expect(JSON.parse(metadata.target ?? '')).toMatchObject({
      kind: 'span',
      label: ' Paris is',
      score: 'logprob',
      unit: 'nat',
      span: [0, 1],
    });
    expect(Number(metadata.target_value)).toBeCloseTo(gradient.targets[0]?.value ?? 0, 10);
    for (const name of ['embed', 'pattern.1']) {
      const [from] = header[`grad.${name}`]?.data_offsets ?? [0];
      gradient.targets[0]?.gradients.get(name)?.data.forEach((value, at) => {
        expect(file.readFloatLE(8 + length + from + 4 * at)).toBe(value);
      });
    }
  });

  const wrong: [
    name: string,
    parts: Partial<CaptureToFileRequest>,
    on: Parameters<typeof createSmoothModel>[0] | null,
    code: string,
  ][] = [
    ['a derivative by the logits', { sites: ['embed', 'logits'] }, {}, 'E_SITE_UNKNOWN'],
    ['a model without gradients', {}, null, 'E_METHOD_UNSUPPORTED'],
    ['a graph without a rule', {}, { unsupported: true }, 'E_GRADIENT_UNSUPPORTED'],
    [
      'no response to differentiate',
      { gradients: { target: { kind: 'response' }, maxTokens: 0, seed: 1, precision: 'as-served' } },
      {},
      'E_TARGET_EMPTY',
    ],
    ['a site the model gives in another shape', { sites: ['mlp_post'] }, {}, 'E_SITE_UNKNOWN'],
  ];
  test.each(wrong)('%s leaves nothing behind', async (_name, parts, on, code) => {
    const context = recordRequest(on === null ? createLinearModel() : createSmoothModel(on));
    await expect(captureToFile(context, request(parts))).rejects.toMatchObject({ code });
    expect(await readdir(folder)).toEqual([]);
  });

  test('cancelled in the middle of a gradient leaves nothing behind', async () => {
    const controller = new AbortController();
    const recorder = recordRequest(model, controller.signal);
    const context = {
      ...recorder,
      progress: (phase: string) => {
        if (phase.startsWith('gradient')) controller.abort();
      },
    };
    await expect(captureToFile(context, request())).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(await readdir(folder)).toEqual([]);
  });
});
