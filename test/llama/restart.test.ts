/** Patched passes that begin at the layer they change equal whole passes, bit for bit, and leave nothing behind. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { SkippingObserver } from '../../src/llama/evaluation/skippingObserver.ts';
import { findRestartPoints } from '../../src/llama/graph/restartPoints.ts';
import type { GraphNode } from '../../src/llama/graph/graph.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model, Patch, VariantsRequest } from '../../src/model/model.ts';
import { layerSites, type LayerSite } from '../../src/model/sites.ts';
import { bundledModel, goldenFile } from './golden.ts';

const families = readdirSync('test/fixtures/gradients', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => [name, path.join('test/fixtures/gradients', name, 'model.gguf')] as const);
const files = [
  ...families,
  ...['tiny_llama', 'tiny_gpt2'].map((name) => [name, goldenFile(name, 'model.gguf')] as const),
  ['bundled', bundledModel] as const,
];

const tokens = Int32Array.of(5, 9, 3, 17, 8, 2, 11);
const last = tokens.length - 1;
const read = [{ position: last, ids: [7, 9], top: 3 }];

test.each(files)('%s: every site, from every layer on', async (_, file) => {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 256 });
  const restored = vi.spyOn(SkippingObserver.prototype, 'restore');
  try {
    const layers = model.info.layers > 5 ? [14] : Array.from({ length: model.info.layers }, (_layer, layer) => layer);
    const sets = await patchSets(model, layers);
    const before = (await model.forward({ tokens, read })).read;
    restored.mockClear();
    // Twice: the first request finds out whether it is exact.
    await model.forwardVariants(request(sets));
    const results = await model.forwardVariants(request(sets));
    expect(restored.mock.calls.length).toBeGreaterThan(sets.length / 4);
    expect((await model.forward({ tokens, read })).read).toEqual(before);
    for (const [index, patches] of sets.entries()) {
      expect(results[index]?.read, JSON.stringify(patches.map(({ site }) => site))).toEqual(
        (await model.forward({ tokens, read, patches })).read,
      );
    }
  } finally {
    await model.dispose();
    restored.mockRestore();
  }
});

function request(sets: readonly Patch[][]): VariantsRequest {
  return { variants: sets.map((patches) => ({ tokens, read, patches })) };
}

/** Single patches, pairs in two layers, and a pass without any. */
async function patchSets(model: Model, layers: readonly number[]): Promise<Patch[][]> {
  const sets: Patch[][] = [[]];
  for (const kind of layerSites) {
    for (const layer of layers) {
      const patch = await patchAt(model, kind, layer);
      if (patch !== null) sets.push([patch]);
    }
  }
  for (const layer of layers) {
    const deep: Patch = { site: { kind: 'attn_out', layer: layers.at(-1) ?? 0 }, operation: { kind: 'mean' } };
    sets.push([deep, { site: { kind: 'resid_pre', layer }, positions: [3], operation: { kind: 'scale', factor: 0.5 } }]);
  }
  return sets;
}

/** Null where the architecture does not show the site. */
async function patchAt(model: Model, kind: LayerSite, layer: number): Promise<Patch | null> {
  const site = { kind, layer };
  const positions = [(layer + 2) % tokens.length];
  const patch: Patch =
    kind === 'scores'
      ? { site, operation: { kind: 'hide', keys: [1] } }
      : { site, positions, operation: { kind: 'scale', factor: 0.25 } };
  return model.forward({ tokens, patches: [patch] }).then(
    () => patch,
    () => null,
  );
}

describe('a patch that all passes share', () => {
  const noise: Patch = { site: { kind: 'embed' }, positions: [2], operation: { kind: 'scale', factor: 3 } };
  const cases: [string, Patch][] = [
    ['below the layer', noise],
    [
      'on the stream that enters it',
      { site: { kind: 'resid_pre', layer: 1 }, positions: [2], operation: { kind: 'scale', factor: 2 } },
    ],
    [
      'behind it, where only the rows that are read exist',
      {
        site: { kind: 'mlp_out', layer: 2 },
        positions: [5],
        operation: { kind: 'overwrite', values: new Float32Array(64).fill(1) },
      },
    ],
  ];
  test.each(cases)('%s', async (_, shared) => {
    const model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 256 });
    const restored = vi.spyOn(SkippingObserver.prototype, 'restore');
    try {
      const own = Array.from(
        { length: 12 },
        (_patch, index): Patch => ({
          site: { kind: 'resid_post', layer: index % 2 },
          positions: [index % tokens.length],
          operation: { kind: 'scale', factor: 0.5 },
        }),
      );
      const sets = own.map((patch) => [shared, patch]);
      restored.mockClear();
      const results = await model.forwardVariants(request(sets));
      expect(restored).toHaveBeenCalled();
      for (const [index, patches] of sets.entries()) {
        expect(results[index]?.read).toEqual((await model.forward({ tokens, read, patches })).read);
      }
    } finally {
      await model.dispose();
      restored.mockRestore();
    }
  });
});

test('after a pass that was stopped in the middle the next one is whole', async () => {
  const model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 256 });
  try {
    const before = (await model.forward({ tokens, read })).read;
    const sets = Array.from({ length: 20 }, (): Patch[] => [
      { site: { kind: 'attn_out', layer: 1 }, operation: { kind: 'zero' } },
    ]);
    const controller = new AbortController();
    const stopped = model.forwardVariants(request(sets), {
      signal: controller.signal,
      onResult: (index) => index === 3 && controller.abort(),
    });
    await expect(stopped).rejects.toThrow('E_CANCELLED');
    expect((await model.forward({ tokens, read })).read).toEqual(before);
    expect((await model.forwardVariants(request([[]])))[0]?.read).toEqual(before);
  } finally {
    await model.dispose();
  }
});

describe('where a pass may begin', () => {
  const node = (index: number, operator: string, sources: (GraphNode | null)[]): GraphNode => ({
    index,
    name: `n${index}`,
    operator,
    type: 0,
    ne: [4, 2, 1, 1],
    parameters: [0, 0],
    sources,
  });
  /** Two layers: the stream, a cache write and a product each; `skip` reads layer 0 from layer 1. */
  function graph({ skip = false, shared = false }): ReturnType<typeof findRestartPoints> {
    const embed = node(0, 'GET_ROWS', []);
    const first = node(1, 'SET_ROWS', [embed]);
    const product = node(2, 'MUL_MAT', [embed]);
    const stream = node(3, 'ADD', [embed, product]);
    const second = node(4, shared ? 'MUL' : 'SET_ROWS', [stream]);
    const view = node(5, 'RESHAPE', [product]);
    const end = node(6, 'ADD', [stream, skip ? view : stream]);
    const site = (layer: number, at: GraphNode) =>
      [
        `resid_pre.${layer}`,
        { site: `resid_pre.${layer}`, node: at, layout: 'rows' as const, heads: 0, outputRowsOnly: false, softmax: null },
      ] as const;
    return findRestartPoints([embed, first, product, stream, second, view, end], new Map([site(0, embed), site(1, stream)]), 2);
  }
  test.each([
    ['layers that meet only in the stream', {}, [1]],
    ['a layer that reads a view of something before it', { skip: true }, []],
    ['a layer that uses the keys and values of another', { shared: true }, []],
  ])('%s', (_, how, expected) => {
    expect(graph(how).map(({ layer }) => layer)).toEqual(expected);
  });
});
