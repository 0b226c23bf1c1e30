/** Weights of 4 or 8 bits, unpacked once and given to every gradient, within a budget. */
import { type GraphNode, type OnnxGraph } from '../graph/graph.ts';
import { unpackedWeights, withGivenWeights } from '../gradient/unpackedWeights.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { createSession } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';

export class WeightShelf {
  /** By the stored tensors they come from: the same weight has another name in every graph. */
  readonly #kept = new Map<string, TensorValue>();
  #bytes = 0;

  /** @param budget bytes that may be kept; 0: none, each run unpacks them */
  constructor(
    private readonly budget: number,
    private readonly threads: number,
  ) {}

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The graph with as many unpacked weights as the budget holds as inputs, and their values. Weights that are new are unpacked now, in
   * a session of their own. @throws E_ONNX_RUNTIME
   */
  async give(graph: OnnxGraph): Promise<{ readonly graph: OnnxGraph; readonly feeds: Readonly<Record<string, TensorValue>> }> {
    const sources = sourcesOf(graph, unpackedWeights(graph));
    const missing = [...sources].filter(([, source]) => !this.#kept.has(source));
    if (missing.length > 0 && this.#bytes < this.budget) await this.#unpack(graph, missing);
    const feeds: Record<string, TensorValue> = {};
    for (const [name, source] of sources) {
      const value = this.#kept.get(source);
      if (value !== undefined) feeds[name] = value;
    }
    const given = Object.keys(feeds);
    return { graph: given.length === 0 ? graph : withGivenWeights(graph, given), feeds };
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  /** Each in a session of its own, which holds nothing else: a session computes all it holds, whichever outputs are asked for. */
  async #unpack(graph: OnnxGraph, missing: readonly (readonly [string, string])[]): Promise<void> {
    const options = { threads: this.threads, prepacking: false, optimisation: 'disabled' } as const;
    for (const [name, source] of missing) {
      if (this.#bytes >= this.budget) return;
      const session = await createSession(writeGraph(graph, { inputs: [], outputs: [name] }), graph.folder, options);
      try {
        const value = (await session.run({}))[name];
        if (value === undefined) continue;
        this.#kept.set(source, value);
        this.#bytes += value.data.byteLength;
      } finally {
        await session.release();
      }
    }
  }
}

/** Unpacked tensor → the names of the file's own tensors it is made of. */
function sourcesOf(graph: OnnxGraph, weights: readonly string[]): Map<string, string> {
  const producers = new Map<string, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  return new Map(
    weights.map((weight) => {
      const sources = new Set<string>();
      const open = [weight];
      for (let name = open.pop(); name !== undefined; name = open.pop()) {
        const node = producers.get(name);
        if (node !== undefined) open.push(...node.inputs);
        else if (!name.startsWith('loupe/')) sources.add(name);
      }
      return [weight, [...sources].sort().join()];
    }),
  );
}
