/** A tape of one operator, written by hand: rules that no family's graph uses, on shapes that none has. */
import type { TensorHeader } from '../../../src/llama/graph/tensorHeader.ts';
import { GraphBackend } from '../../../src/llama/gradient/execution/backend.ts';
import { type OperatorNumbers, operatorNumbers, type Shape } from '../../../src/llama/gradient/execution/emitter.ts';
import { GgmlProducts } from '../../../src/llama/gradient/execution/ggmlProducts.ts';
import { GraphMemory } from '../../../src/llama/gradient/execution/graphMemory.ts';
import { SegmentGraph } from '../../../src/llama/gradient/execution/segmentGraph.ts';
import { WeightStore } from '../../../src/llama/gradient/execution/weightStore.ts';
import { plainBackward } from '../../../src/llama/gradient/plain/plainBackward.ts';
import { elementCount, fromMemory } from '../../../src/llama/gradient/plain/plainTensor.ts';
import { plainRuleTables } from '../../../src/llama/gradient/plain/plainRuleTables.ts';
import { plainValues } from '../../../src/llama/gradient/plain/plainValues.ts';
import { ruleTables } from '../../../src/llama/gradient/rules/ruleTables.ts';
import type { TapeLeaf, TapeNode, TapeTensor } from '../../../src/llama/gradient/tape/tape.ts';
import { operatorNames } from '../../../src/llama/native/guard.ts';
import { loadLlamaLibrary } from '../../../src/llama/native/library.ts';
import type { GradientRules } from '../../../src/model/gradient.ts';

export interface OneOperator {
  readonly operator: string;
  /** Of the result. */
  readonly shape: Shape;
  readonly operands: readonly { readonly shape: Shape; readonly values: Float32Array }[];
  /** Operator parameters, 32 bits each. */
  readonly integers?: readonly number[];
  readonly floats?: readonly number[];
  /** Bytes between neighbours, for a result that is a view of its first operand. */
  readonly viewStrides?: Shape;
  /** The result is written into an input of its own. */
  readonly writesInto?: boolean;
}

export interface OneGradient {
  /** By operand: from the graph of ggml operators, from the plain rule. */
  readonly graph: readonly Float32Array[];
  readonly plain: readonly Float64Array[];
}

export interface TwoRuns {
  /** On the input and on the reference, contiguous. */
  readonly results: readonly [Float64Array, Float64Array];
  /** By operand. */
  readonly multipliers: readonly Float32Array[];
}

const computed = 16;

function contiguousStrides([x, y, z]: Shape): Shape {
  return [4, 4 * x, 4 * x * y, 4 * x * y * z];
}

/** A node no graph has computed. */
export function tapeNode(
  operator: string,
  shape: Shape,
  sources: readonly TapeTensor[],
  changes: Partial<TensorHeader> = {},
  root: TapeTensor | null = null,
): TapeNode {
  const header: TensorHeader = {
    address: 0,
    type: 0,
    ne: shape,
    nb: contiguousStrides(shape),
    operator: 0,
    operatorParameters: new DataView(new ArrayBuffer(64)),
    sources: [],
    buffer: 0,
    viewSource: 0,
    viewOffset: 0,
    data: 0,
    flags: computed,
    name: operator.toLowerCase(),
    ...changes,
  };
  return { kind: 'node', index: sources.length, operator, header, sources, root };
}

/** Runs an operator and its derivative. */
export class OneOperatorGraph {
  readonly #graph: SegmentGraph;
  readonly #operands: readonly TapeNode[];
  readonly #node: TapeNode;
  readonly #backend: GraphBackend;
  readonly #memory: GraphMemory;
  readonly #rules: GradientRules;

  constructor(backend: GraphBackend, described: OneOperator, rules: GradientRules = 'exact') {
    const { operator, shape, operands, integers, floats, viewStrides, writesInto } = described;
    this.#rules = rules;
    const { functions } = backend;
    const numbers = operatorNumbers(functions);
    this.#backend = backend;
    this.#memory = new GraphMemory(backend);
    this.#operands = operands.map((operand) => tapeNode('NONE', operand.shape, []));
    const operatorParameters = new DataView(new ArrayBuffer(64));
    integers?.forEach((value, index) => operatorParameters.setInt32(4 * index, value, true));
    floats?.forEach((value, index) => operatorParameters.setFloat32(4 * index, value, true));
    const target: TapeLeaf | null = writesInto
      ? { ...tapeNode('NONE', shape, []), kind: 'input', bytes: null, writers: [] }
      : null;
    const root = viewStrides === undefined ? target : (this.#operands[0] ?? null);
    this.#node = tapeNode(
      operator,
      shape,
      target === null ? this.#operands : [...this.#operands, target],
      { operator: operatorNames(functions).indexOf(operator), operatorParameters, nb: viewStrides ?? contiguousStrides(shape) },
      root,
    );
    const weights = new WeightStore(backend, numbers, 0);
    this.#graph = new SegmentGraph(
      {
        tape: { tokens: 1, outputs: [0], nodes: [this.#node] },
        backend,
        memory: this.#memory,
        numbers,
        needed: new Set<TapeTensor>([...this.#operands, this.#node]),
        rules: ruleTables[rules],
        runs: rules === 'rescale' ? 2 : 1,
        products: (emit) => new GgmlProducts(emit, weights, 'as-served'),
      },
      {
        nodes: [this.#node],
        entering: this.#operands,
        kept: [this.#node],
        seeds: [this.#node],
        wanted: this.#operands,
        repeated: false,
      },
    );
    this.#graph.allocate();
  }

  /** The result, contiguous. */
  forward(values: readonly Float32Array[]): Float64Array {
    this.#graph.runForward([values], () => false);
    const { header, raw } = this.#graph.value(this.#node);
    return fromMemory(header, raw).data;
  }

  /** @param seed d target / d result, contiguous */
  gradients(values: readonly Float32Array[], seed: Float32Array): OneGradient {
    if (this.#rules === 'rescale') throw new Error('there is no plain form');
    this.forward(values);
    const numbers = operatorNumbers(this.#backend.functions);
    const plain = plainBackward({
      nodes: [this.#node],
      needed: new Set<TapeTensor>([...this.#operands, this.#node]),
      rules: plainRuleTables[this.#rules],
      numbers,
      value: plainValues(this.#graph, this.#backend, numbers),
      seeds: new Map([[this.#node, seed]]),
    });
    this.#graph.runBackward([seed], () => false);
    return {
      graph: this.#operands.map((operand) => this.#graph.gradient(operand)),
      plain: this.#operands.map((operand) => plain.get(operand) ?? new Float64Array(elementCount(operand.header.ne))),
    };
  }

  /** Of each operand between two runs, and the results of both; with the rules `rescale`. */
  multipliers(values: readonly Float32Array[], reference: readonly Float32Array[], seed: Float32Array): TwoRuns {
    this.#graph.runForward([values, reference], () => false);
    const results = [0, 1].map((run) => {
      const { header, raw } = this.#graph.value(this.#node, run);
      return fromMemory(header, raw).data;
    }) as [Float64Array, Float64Array];
    this.#graph.runBackward([seed], () => false);
    return { results, multipliers: this.#operands.map((operand) => this.#graph.gradient(operand)) };
  }

  free(): void {
    this.#graph.free();
    this.#memory.free();
  }
}

/** What single operators run on; `backend` is the caller's to free. */
export async function openOperators(): Promise<{ readonly backend: GraphBackend; readonly numbers: OperatorNumbers }> {
  const { functions } = await loadLlamaLibrary();
  return { backend: new GraphBackend(functions, 1), numbers: operatorNumbers(functions) };
}
