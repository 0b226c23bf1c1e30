/** Edge scores against small real changes, the choice of edges against graphs drawn by hand, and the ends of running a circuit. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layerActivations } from '../../../src/analysis/causal/activationRows.ts';
import { chooseEdges } from '../../../src/analysis/causal/chooseEdges.ts';
import { componentSites } from '../../../src/analysis/causal/componentPatch.ts';
import { type Component, componentLabel, depth, headsAndMlps, readComponent } from '../../../src/analysis/causal/components.ts';
import { type Edge, edgeAttribution } from '../../../src/analysis/causal/edgeAttribution.ts';
import { patchedValues } from '../../../src/analysis/causal/patchedValues.ts';
import { randomCircuit } from '../../../src/analysis/causal/randomCircuit.ts';
import { onlyComponents, otherComponents, randomComponents } from '../../../src/analysis/causal/runCircuit.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { type ResolvedTarget, resolveTarget } from '../../../src/attribution/target.ts';
import { openModel } from '../../../src/engine/openModel.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';

const { signal } = new AbortController();
const tokens = Int32Array.from([3, 1, 4, 1, 5, 9]);
const otherTokens = Int32Array.from([3, 1, 7, 1, 5, 9]);

let model: Model;
let target: ResolvedTarget;
beforeAll(async () => {
  model = await openLlamaModel('test/fixtures/golden/tiny_llama/model.gguf', { threads: 1, contextLength: 64 });
  target = await resolveTarget({ kind: 'id', id: 7 }, 'logit', { model, next: 0, response: [] });
});
afterAll(() => model.dispose());

async function runs() {
  const clean = (await layerActivations(model, tokens, componentSites, signal)).activations;
  const corrupt = (await layerActivations(model, otherTokens, componentSites, signal)).activations;
  return { clean, corrupt };
}

const part = (text: string, info = model.info) =>
  readComponent(text, ['embed', 'head', 'attn', 'mlp', 'logits'], info, 'circuit', 'edges');

describe('edge attribution', () => {
  test('into every layer: messages of one sender add up to the derivative of the stream', async () => {
    const { edges } = await edgeAttribution({
      model,
      tokens,
      target: target.gradient(tokens.length),
      ...(await runs()),
      from: 0,
      signal,
    });
    const { layers, heads } = model.info;
    // From n-th part to all parts behind it.
    expect(edges).toHaveLength(
      headsAndMlps(model.info).reduce((sum, { kind, layer }) => sum + 1 + layer * (heads + 1) + (kind === 'mlp' ? heads : 0), 0) +
        layers * (heads + 1) +
        1,
    );
    // The embedding speaks to all of them: d target / d embedding is what all hear together.
    const at: Site = { kind: 'resid_pre', layer: 0 };
    const whole = await model.gradient({ tokens, targets: [target.gradient(tokens.length)], at: [at] });
    const gradient = whole.targets[0]?.gradients.get('resid_pre.0')?.data as Float32Array;
    const { clean, corrupt } = await runs();
    let expected = 0;
    for (let position = 0; position < tokens.length; position++) {
      const [own, other] = [clean, corrupt].map((run) => run.get('resid_pre')?.at(0, position) as Float32Array);
      own?.forEach((value, index) => {
        const slope = gradient[position * own.length + index] as number;
        expected += ((other?.[index] as number) - value) * slope;
      });
    }
    const found = edges.filter(({ from }) => from.kind === 'embed').reduce((sum, { score }) => sum + score, 0);
    expect(found).toBeCloseTo(expected, 3);
  });

  test.each([
    ['head 0.1', 'mlp 1', 'resid_mid'],
    ['mlp 0', 'head 1.2', 'resid_pre'],
    ['head 0.0', 'head 1.1', 'resid_pre'],
    ['mlp 1', 'logits', 'resid_post'],
  ] as const)('%s to %s: the change that a hundredth of the message makes, times a hundred', async (from, to, entrance) => {
    const { clean, corrupt } = await runs();
    const { edges } = await edgeAttribution({
      model,
      tokens,
      target: target.gradient(tokens.length),
      clean,
      corrupt,
      from: 2,
      signal,
    });
    const edge = edges.find((each) => componentLabel(each.from) === componentLabel(part(from)) && sameAs(each.to, part(to)));
    const small = 0.01;
    const [more, less] = await Promise.all([heard(from, to, entrance, small), heard(from, to, entrance, -small)]);
    const measured = (more - less) / (2 * small);
    expect(Math.abs((edge?.score as number) - measured)).toBeLessThan(2e-3 * Math.max(1, Math.abs(measured)));
  });
});

const sameAs = (a: Component, b: Component) => componentLabel(a) === componentLabel(b);

/** The target when the receiver alone reads a part of the sender's message on top of the clean stream. */
async function heard(
  from: string,
  to: string,
  entrance: 'resid_mid' | 'resid_pre' | 'resid_post',
  share: number,
  on: Model = model,
): Promise<number> {
  const capture = async (ids: Int32Array, site: Site, patches: Parameters<Model['forward']>[0]['patches'] = []) => {
    const read = [{ position: ids.length - 1, ids: [] }];
    const { captured } = await on.forward({ tokens: ids, read, patches, capture: [{ site }] });
    return captured.get(`${site.kind}.${site.layer}`)?.data as Float32Array;
  };
  const { heads, headSize, layers } = on.info;
  const ofHead = (values: Float32Array, head: number) => values.filter((_, at) => Math.floor(at / headSize) % heads === head);
  const sender = part(from);
  const output: Site = { kind: sender.kind === 'mlp' ? 'mlp_out' : 'attn_out', layer: sender.layer };
  const before = await capture(tokens, output);
  const after =
    sender.kind === 'mlp'
      ? await capture(otherTokens, output)
      : await capture(tokens, output, [
          {
            site: { kind: 'z', layer: sender.layer },
            heads: [sender.head],
            operation: {
              kind: 'overwrite',
              values: ofHead(await capture(otherTokens, { kind: 'z', layer: sender.layer }), sender.head),
            },
          },
        ]);
  const receiver = part(to);
  const site: Site = { kind: entrance, layer: receiver.kind === 'logits' ? layers - 1 : receiver.layer };
  const stream = (await capture(tokens, site)).map(
    (value, at) => value + share * ((after[at] as number) - (before[at] as number)),
  );
  const changed = { site, operation: { kind: 'overwrite' as const, values: stream } };
  const read = target.reads(tokens.length);
  if (receiver.kind === 'logits') return target.value((await on.forward({ tokens, read, patches: [changed] })).read);
  const given: Site = { kind: receiver.kind === 'mlp' ? 'mlp_out' : 'z', layer: receiver.layer };
  const values = await capture(tokens, given, [changed]);
  const patch =
    receiver.kind === 'mlp'
      ? { site: given, operation: { kind: 'overwrite' as const, values } }
      : { site: given, heads: [receiver.head], operation: { kind: 'overwrite' as const, values: ofHead(values, receiver.head) } };
  return target.value((await on.forward({ tokens, read, patches: [patch] })).read);
}

test.each([
  ['head 0.1', 'mlp 1', 'resid_mid'],
  ['mlp 0', 'head 1.2', 'resid_pre'],
  ['mlp 1', 'logits', 'resid_post'],
] as const)('an ONNX model, %s to %s: the same', async (from, to, entrance) => {
  const onnx = await openModel('test/fixtures/onnx/llama_optimum_kv', { threads: 1, contextLength: 64 });
  try {
    const clean = (await layerActivations(onnx, tokens, componentSites, signal)).activations;
    const corrupt = (await layerActivations(onnx, otherTokens, componentSites, signal)).activations;
    const gradient = target.gradient(tokens.length);
    const { edges } = await edgeAttribution({ model: onnx, tokens, target: gradient, clean, corrupt, from: 2, signal });
    const edge = edges.find((each) => sameAs(each.from, part(from)) && sameAs(each.to, part(to)));
    const small = 0.01;
    const more = await heard(from, to, entrance, small, onnx);
    const less = await heard(from, to, entrance, -small, onnx);
    const measured = (more - less) / (2 * small);
    expect(Math.abs((edge?.score as number) - measured)).toBeLessThan(2e-3 * Math.max(1, Math.abs(measured)));
  } finally {
    await onnx.dispose();
  }
});

describe('choosing edges', () => {
  const info = { layers: 4, heads: 2 };
  const named = (text: string) => readComponent(text, ['embed', 'head', 'attn', 'mlp', 'logits'], info, 'circuit', 'edges');
  const edge = (from: string, to: string, score: number): Edge => ({ from: named(from), to: named(to), score });
  const names = (edges: readonly Edge[]) => edges.map(({ from, to }) => `${componentLabel(from)}>${componentLabel(to)}`);
  const graph = [
    edge('embed', 'mlp 0', 1),
    edge('mlp 0', 'head 2.1', -5),
    edge('head 2.1', 'logits', 3),
    edge('mlp 3', 'logits', 4),
    edge('head 1.0', 'head 2.0', 9),
  ];

  test('only edges from the prompt to the answer are kept', () => {
    const { edges, components, pruned } = chooseEdges(graph, { count: 10, threshold: 0 });
    // Nothing leads from head 2.0 to the logits, and nothing from the embedding into MLP 3.
    expect(names(edges)).toEqual(['L0 MLP>L2.H1', 'L2.H1>logits', 'embedding>L0 MLP']);
    expect(components.map(componentLabel).sort()).toEqual(['L0 MLP', 'L2.H1']);
    expect(pruned).toBe(1);
  });

  test('too few edges reach no word', () => {
    expect(chooseEdges(graph, { count: 3, threshold: 0 }).edges).toEqual([]);
    expect(chooseEdges(graph, { count: 10, threshold: 3.5 }).edges).toEqual([]);
  });

  test('a part that led only to one that fell away falls as well', () => {
    const dead = [...graph, edge('embed', 'mlp 2', 0.5)];
    expect(names(chooseEdges(dead, { count: 10, threshold: 0 }).edges)).not.toContain('embedding>L2 MLP');
  });
});

describe('running a circuit', () => {
  test('all parts: the clean value; no part: what the other embedding alone changes', async () => {
    const { corrupt } = await runs();
    const all = headsAndMlps(model.info);
    const run = { model, ids: tokens, target, signal };
    const plain = target.value((await model.forward({ tokens, read: target.reads(tokens.length) })).read);
    const embedding = corrupt.get('resid_pre')?.patchLayer(0);
    const other = target.value((await model.forward({ tokens: otherTokens, read: target.reads(tokens.length) })).read);
    const { values } = await patchedValues(run, [
      onlyComponents(corrupt, all, model.info),
      [...onlyComponents(corrupt, [], model.info), ...(embedding === undefined ? [] : [embedding])],
    ]);
    expect(values[0]).toBe(plain);
    expect(values[1]).toBeCloseTo(other, 4);
  });

  test('random parts: as many heads and MLPs, each once, the same for the same seed', () => {
    const like = [part('head 0.1'), part('head 1.1'), part('mlp 0')];
    const draws = randomComponents(like, model.info, 5, 3);
    expect(draws).toEqual(randomComponents(like, model.info, 5, 3));
    for (const draw of draws) {
      expect(draw.map(({ kind }) => kind)).toEqual(['head', 'head', 'mlp']);
      expect(new Set(draw.map(componentLabel)).size).toBe(3);
    }
    expect(otherComponents(like, model.info)).toHaveLength(headsAndMlps(model.info).length - 3);
  });
});

describe('a random circuit', () => {
  const info = { layers: 5, heads: 3 };
  const named = (text: string) => readComponent(text, ['embed', 'head', 'attn', 'mlp', 'logits'], info, 'circuit', 'edges');
  const all = headsAndMlps(info);
  const edges: Edge[] = [...all, named('logits')].flatMap((to) =>
    [named('embed'), ...all].flatMap((from) =>
      depth(from, info.layers) < depth(to, info.layers) ? [{ from, to, score: 1 }] : [],
    ),
  );
  const parts = ['head 0.1', 'mlp 1', 'head 2.0', 'head 2.2', 'mlp 3', 'head 4.1'].map(named);
  const names = (circuit: readonly Edge[]) => circuit.map(({ from, to }) => `${componentLabel(from)}>${componentLabel(to)}`);

  /** Labels that can be reached from `start` along edges, told by what leads on from each. */
  function reached(start: string, circuit: readonly (readonly [string, string])[]): Set<string> {
    const found = new Set([start]);
    for (let before = 0; before !== found.size; ) {
      before = found.size;
      for (const [from, to] of circuit) if (found.has(from)) found.add(to);
    }
    return found;
  }

  test.each([1, 5, 9, 14, 20, 26, 1000])('of %i edges: between the parts alone, each on a path, no fewer than asked', (count) => {
    const random = seededRandom(count);
    for (let draw = 0; draw < 50; draw++) {
      const circuit = randomCircuit(edges, parts, count, random);
      const pairs = circuit.edges.map(({ from, to }) => [componentLabel(from), componentLabel(to)] as const);
      const labels = new Set(['embedding', 'logits', ...parts.map(componentLabel)]);
      const [heard, speaking] = [
        reached('embedding', pairs),
        reached(
          'logits',
          pairs.map(([from, to]) => [to, from] as const),
        ),
      ];
      for (const [from, to] of pairs) {
        expect(labels.has(from) && labels.has(to)).toBe(true);
        expect(heard.has(from) && speaking.has(to)).toBe(true);
      }
      // 6 from the embedding, 6 to the logits, one past all, and 14 of the 15 pairs: two heads of a layer hear nothing of each other.
      expect(pairs.length).toBeGreaterThanOrEqual(Math.min(count, 27));
      expect(new Set(names(circuit.edges)).size).toBe(pairs.length);
      if (count === 1000) expect(pairs.length).toBe(27);
    }
  });

  test('the same for the same seed, another for another', () => {
    const drawn = (seed: number) => names(randomCircuit(edges, parts, 9, seededRandom(seed)).edges).sort();
    expect(drawn(1)).toEqual(drawn(1));
    expect(new Set([1, 2, 3, 4, 5].map((seed) => drawn(seed).join())).size).toBe(5);
  });
});
