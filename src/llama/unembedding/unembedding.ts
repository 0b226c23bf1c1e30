/** `model.unembed` on llama.cpp: the nodes behind the last block, repeated in a graph of our own, a few rows at a time. */
import type { UnembedRequest, UnembedResult } from '../../model/model.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { resolveCapture } from '../../model/runtime/resolveSite.ts';
import { unembedRows } from '../../model/runtime/unembedRows.ts';
import type { Site } from '../../model/sites.ts';
import type { Evaluator } from '../evaluation/forward.ts';
import { GraphBackend } from '../gradient/execution/backend.ts';
import { isContiguous, operatorNumbers } from '../gradient/execution/emitter.ts';
import { GgmlProducts } from '../gradient/execution/ggmlProducts.ts';
import { GraphMemory } from '../gradient/execution/graphMemory.ts';
import { SegmentGraph } from '../gradient/execution/segmentGraph.ts';
import { WeightStore } from '../gradient/execution/weightStore.ts';
import { siteOnTape, siteValue, type TapeSite } from '../gradient/siteTensors.ts';
import { requiredNodes } from '../gradient/tape/dependencies.ts';
import { recordTape } from '../gradient/tape/recordTape.ts';
import type { Tape } from '../gradient/tape/tape.ts';
import { operatorNames } from '../native/guard.ts';

/** What turns so many vectors into logits. */
interface Suffix {
  readonly graph: SegmentGraph;
  readonly memory: GraphMemory;
  readonly tape: Tape;
  readonly logits: TapeSite;
}

export class Unembedding {
  readonly #evaluator: Evaluator;
  readonly #threads: number;
  #backend: GraphBackend | null = null;
  /** By number of rows, a power of two. */
  readonly #suffixes = new Map<number, Suffix>();

  constructor(evaluator: Evaluator, threads: number) {
    this.#evaluator = evaluator;
    this.#threads = threads;
  }

  /** @throws as `unembedRows`; E_SITE_UNKNOWN, E_OUT_OF_MEMORY */
  run(request: UnembedRequest, cancellation: Cancellation): Promise<UnembedResult[]> {
    return unembedRows(this.#evaluator.info, request, cancellation, (rows, count) => this.#logits(rows, count, cancellation));
  }

  free(): void {
    for (const { graph, memory } of this.#suffixes.values()) {
      graph.free();
      memory.free();
    }
    this.#suffixes.clear();
    this.#backend?.free();
    this.#backend = null;
  }

  #logits(rows: Float32Array, count: number, { requested }: Cancellation): Float32Array {
    const size = 2 ** Math.ceil(Math.log2(count));
    const { graph, logits, tape } = this.#suffix(size);
    const padded = new Float32Array((rows.length / count) * size);
    padded.set(rows);
    graph.runForward([[padded]], requested);
    const value = graph.value(logits.tapeNode);
    // Already [size, V]: a copy of so many logits would cost a tenth of the product.
    return isContiguous(value.header) ? value.raw : siteValue(logits, tape, value).data;
  }

  /** What follows the last block does not depend on which tokens were read, so any are recorded. */
  #suffix(size: number): Suffix {
    const known = this.#suffixes.get(size);
    if (known !== undefined) return known;
    const { info, sites, contexts, native } = this.#evaluator;
    const resolve = (site: Site) => resolveCapture({ site }, sites, info);
    const [end, result] = [resolve({ kind: 'resid_post', layer: info.layers - 1 }), resolve({ kind: 'logits' })];
    const tape = recordTape(contexts.acquire(size), native.functions, operatorNames(native.functions), {
      tokens: new Int32Array(size),
      outputs: Array.from({ length: size }, (_, position) => position),
    });
    const [stream, logits] = [siteOnTape(end, tape), siteOnTape(result, tape)];
    const backend = (this.#backend ??= new GraphBackend(native.functions, this.#threads));
    const memory = new GraphMemory(backend);
    const numbers = operatorNumbers(native.functions);
    const noWeights = new WeightStore(backend, numbers, 0);
    const graph = new SegmentGraph(
      {
        tape,
        backend,
        memory,
        numbers,
        needed: new Set(),
        rules: new Map(),
        runs: 1,
        products: (emit) => new GgmlProducts(emit, noWeights, 'as-served'),
      },
      {
        nodes: requiredNodes(tape, [logits.tapeNode], [stream.tapeNode]),
        entering: [stream.tapeNode],
        kept: [logits.tapeNode],
        seeds: [],
        wanted: [],
        repeated: false,
      },
    );
    try {
      graph.allocate();
    } catch (error) {
      graph.free();
      memory.free();
      throw error;
    }
    const suffix = { graph, memory, tape, logits };
    this.#suffixes.set(size, suffix);
    return suffix;
  }
}
