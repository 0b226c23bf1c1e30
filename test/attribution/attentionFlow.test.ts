import { describe, expect, test } from 'vitest';
import { attentionFlow } from '../../src/attribution/flow/attentionFlow.ts';
import { FlowNetwork } from '../../src/attribution/flow/maximumFlow.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { seededRandom } from '../../src/attribution/seededRandom.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { createLinearModel, headPattern, linearInfo } from './linearModel.ts';

type Edge = readonly [from: number, to: number, capacity: number];

/** The smallest cut, by trying every set of nodes on the source's side. */
function minimumCut(nodes: number, edges: readonly Edge[], source: number, sink: number): number {
  let least = Infinity;
  for (let side = 0; side < 2 ** nodes; side++) {
    const isInside = (node: number) => (side >> node) % 2 === 1;
    if (!isInside(source) || isInside(sink)) continue;
    least = Math.min(
      least,
      edges.reduce((sum, [from, to, capacity]) => sum + (isInside(from) && !isInside(to) ? capacity : 0), 0),
    );
  }
  return least;
}

function networkOf(nodes: number, edges: readonly Edge[]): FlowNetwork {
  const network = new FlowNetwork(nodes);
  for (const [from, to, capacity] of edges) network.addEdge(from, to, capacity);
  return network;
}

describe('maximum flow', () => {
  test('equals the smallest cut, on random graphs', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 200; round++) {
      const nodes = 3 + Math.floor(random() * 5);
      const edges = Array.from({ length: 2 * nodes + 2 }, (): Edge => {
        return [Math.floor(random() * nodes), Math.floor(random() * nodes), random() < 0.2 ? 1 : random()];
      }).filter(([from, to]) => from !== to);
      const network = networkOf(nodes, edges);
      for (let sink = 1; sink < nodes; sink++) {
        expect(network.maximumFlow(0, sink)).toBeCloseTo(minimumCut(nodes, edges, 0, sink), 7);
      }
    }
  });

  test('takes back what went the wrong way', () => {
    // The shortest paths first fill the middle edge, which the best flow does not use.
    const edges: Edge[] = [
      [0, 1, 1],
      [0, 2, 1],
      [1, 2, 1],
      [1, 3, 1],
      [2, 3, 1],
    ];
    expect(networkOf(4, edges).maximumFlow(0, 3)).toBe(2);
    expect(networkOf(4, edges).maximumFlow(3, 0)).toBe(0);
  });
});

const model = createLinearModel();
const prepared = (parts: InputParts) =>
  inputFor(model, { ...parts, parameters: resolveParameters(attentionFlow, parts.parameters) });

describe('attention flow', () => {
  const cases: [parts: InputParts, rows: number[]][] = [
    [{ ids: [9, 12, 40] }, [2]],
    [{ ids: [9, 12], spec: { kind: 'response' }, response: [40, 7] }, [1, 2]],
    [{ ids: [9] }, [0]],
  ];
  test.each(cases)('%j: the smallest cut between the rows that predict and each token', async (parts, rows) => {
    const input = await prepared(parts);
    const ids = [...input.tokens.map((token) => token.id), ...input.target.continuation];
    const size = ids.length;
    const { layers, heads } = linearInfo;
    const source = (layers + 1) * size;
    const edges: Edge[] = rows.map((row) => [source, layers * size + row, 1 / rows.length]);
    for (let layer = 0; layer < layers; layer++) {
      const patterns = Array.from({ length: heads }, (_, head) => headPattern(ids, layer, head));
      for (let query = 0; query < size; query++) {
        for (let key = 0; key <= query; key++) {
          const mean = patterns.reduce((sum, pattern) => sum + (pattern[query * size + key] as number), 0) / heads;
          edges.push([(layer + 1) * size + query, layer * size + key, 0.5 * mean + (query === key ? 0.5 : 0)]);
        }
      }
    }
    const { scores, forwardPasses } = await attentionFlow.attribute(input);
    input.tokens.forEach((_token, token) => {
      expect(scores[token]).toBeCloseTo(minimumCut(source + 1, edges, source, token), 5);
    });
    expect(forwardPasses).toBe(1);
  });

  test('units add up, hidden ones hold nothing and are not asked for', async () => {
    const ids = [9, 12, 40, 7];
    const single = (await attentionFlow.attribute(await prepared({ ids }))).scores;
    const told: [number, number][] = [];
    const input = await prepared({ ids, groups: [[0], [1], [2, 3]], kinds: ['special', 'text', 'text'] });
    const { scores } = await attentionFlow.attribute(input, { onProgress: (done, total) => told.push([done, total]) });
    expect(scores[0]).toBe(0);
    expect(scores[1]).toBeCloseTo(single[1] as number, 6);
    expect(scores[2]).toBeCloseTo((single[2] as number) + (single[3] as number), 6);
    expect(told.at(-1)).toEqual([3, 3]);
  });

  test('too many edges are refused before anything is run, with what to use instead', async () => {
    const large = createLinearModel({ contextLength: 4096 });
    const input = await prepared({ ids: [9, 12] });
    const token = { id: 9, text: '', start: 0, end: 0, special: false };
    const tokens = new Array<typeof token>(1000).fill(token);
    const units = tokens.map((_, index) => ({ start: 0, end: 0, label: '', kind: 'text' as const, tokens: [index] }));
    const failed = attentionFlow.attribute({ ...input, model: large, tokens, units });
    await expect(failed).rejects.toThrow(/E_METHOD_SIZE.*1000 tokens.*1000 flows through 3 layers.*information-flow/);
    expect(large.calls.forward).toEqual([]);
  });

  test('a run that is stopped between tokens', async () => {
    const controller = new AbortController();
    const running = attentionFlow.attribute(await prepared({ ids: [9, 12, 40] }), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
