/** A circuit run edge by edge, against the clean run, the corrupted run, path patching and runs part by part: what must be equal. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layerActivations } from '../../../src/analysis/causal/activationRows.ts';
import { componentSites } from '../../../src/analysis/causal/componentPatch.ts';
import { type Component, componentLabel, depth, headsAndMlps, readComponent } from '../../../src/analysis/causal/components.ts';
import { patchedValues } from '../../../src/analysis/causal/patchedValues.ts';
import { pathPatching } from '../../../src/analysis/causal/pathPatching.ts';
import { onlyComponents } from '../../../src/analysis/causal/runCircuit.ts';
import { type EdgeRun, entranceSites, runEdges } from '../../../src/analysis/causal/runEdges.ts';
import { resolveTarget } from '../../../src/attribution/target.ts';
import { openModel } from '../../../src/engine/openModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { testModels } from '../../setup/testModels.ts';

const { signal } = new AbortController();
const tokens = Int32Array.from([3, 1, 4, 1, 5, 9]);
const otherTokens = Int32Array.from([3, 1, 7, 1, 5, 2]);

describe.each([
  ['a GGUF file', testModels.tinyLlama],
  ['an ONNX file', 'test/fixtures/onnx/llama_optimum_kv/model.onnx'],
  ['an ONNX file with biases', 'test/fixtures/onnx/gpt2_optimum_kv/model.onnx'],
])('%s', (_, file) => {
  let model: Model;
  let run: EdgeRun;
  let edges: { from: Component; to: Component }[];
  let cleanValue: number;
  let corruptValue: number;
  beforeAll(async () => {
    model = await openModel(file, { threads: 1, contextLength: 64 });
    const target = await resolveTarget({ kind: 'id', id: 7 }, 'logit', { model, next: 0, response: [] });
    const sites = [...componentSites, ...entranceSites];
    const [clean, corrupt] = [
      (await layerActivations(model, tokens, sites, signal)).activations,
      (await layerActivations(model, otherTokens, sites, signal)).activations,
    ];
    run = { model, ids: tokens, tokens, target, clean, corrupt, signal };
    const { layers } = model.info;
    const senders: Component[] = [part('embed'), ...headsAndMlps(model.info)];
    const receivers: Component[] = [...headsAndMlps(model.info), part('logits')];
    edges = receivers.flatMap((to) =>
      senders.filter((from) => depth(from, layers) < depth(to, layers)).map((from) => ({ from, to })),
    );
    const valueOf = async (ids: Int32Array) =>
      target.value((await model.forward({ tokens: ids, read: target.reads(ids.length) })).read);
    [cleanValue, corruptValue] = [await valueOf(tokens), await valueOf(otherTokens)];
  });
  afterAll(() => model.dispose());

  const part = (text: string) => readComponent(text, ['embed', 'head', 'attn', 'mlp', 'logits'], model.info, 'circuit', 'edges');
  const isSame = (a: Component, b: Component) => componentLabel(a) === componentLabel(b);

  test('all edges: the clean run; none: the corrupted one', async () => {
    expect(Math.abs(cleanValue - corruptValue)).toBeGreaterThan(1e-2);
    expect((await runEdges(run, edges)).value).toBeCloseTo(cleanValue, 4);
    expect((await runEdges(run, edges.toReversed())).value).toBeCloseTo(cleanValue, 4);
    expect((await runEdges(run, [])).value).toBeCloseTo(corruptValue, 4);
  });

  test.each([
    ['embed', 'mlp 0'],
    ['embed', 'logits'],
    ['head 0.1', 'mlp 1'],
    ['mlp 0', 'head 1.2'],
    ['head 0.0', 'head 1.1'],
    ['head 1.3', 'logits'],
    ['mlp 1', 'logits'],
  ])('all but %s to %s: that message alone corrupted, as path patching has it', async (from, to) => {
    const [sender, receiver] = [part(from), part(to)];
    const rest = edges.filter((edge) => !isSame(edge.from, sender) || !isSame(edge.to, receiver));
    expect(rest).toHaveLength(edges.length - 1);
    const { clean: base, corrupt: source } = run;
    const path = await pathPatching({ ...run, base, source, receiver, input: 'all', mlps: 'frozen' }, [sender]);
    const { value } = await runEdges(run, rest);
    expect(value).toBeCloseTo(path.values[0] as number, 4);
    expect(Math.abs(value - cleanValue)).toBeGreaterThan(1e-5);
  });

  test('all edges among some parts: those parts run with the others corrupted', async () => {
    const kept = [part('head 0.1'), part('mlp 0'), part('head 1.2'), part('mlp 1')];
    const ends = [part('embed'), part('logits'), ...kept];
    const among = edges.filter(({ from, to }) => [from, to].every((each) => ends.some((end) => isSame(end, each))));
    const { values } = await patchedValues({ model, ids: tokens, target: run.target, signal }, [
      onlyComponents(run.corrupt, kept, model.info),
    ]);
    const { value, forwardPasses } = await runEdges(run, among);
    expect(value).toBeCloseTo(values[0] as number, 4);
    expect(forwardPasses).toBe(kept.length + 1);
    // With one edge fewer it is another run.
    const fewer = among.filter(({ from, to }) => !isSame(from, part('mlp 0')) || !isSame(to, part('head 1.2')));
    expect(Math.abs((await runEdges(run, fewer)).value - value)).toBeGreaterThan(1e-5);
  });
});
