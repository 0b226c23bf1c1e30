/** Lays out the backward pass of a segment: visits its nodes from last to first and lets each operator's rule add to the graph. */
import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { BackwardContext, CacheRead, RuleTable } from '../rules/rule.ts';
import type { TapeNode, TapeTensor } from '../tape/tape.ts';
import type { Emitter } from './emitter.ts';
import type { MatrixProducts } from './matrixProducts.ts';

export interface BackwardParts {
  readonly emit: Emitter;
  /** For tensors that keep their memory between passes. */
  readonly inputs: Emitter;
  readonly products: MatrixProducts;
  readonly tokens: number;
  readonly needed: ReadonlySet<TapeTensor>;
  readonly rules: RuleTable;
  /** The forward value of a run: 0, or 1 on the reference input. */
  readonly tensor: (tensor: TapeTensor, run: number) => TensorHeader;
  /** Puts a gradient into the graph here, so that forward values are given free as early as they can be. */
  readonly place: (gradient: TensorHeader) => void;
}

export class BackwardPass {
  /** Inputs for the cotangents, in the order of the seeds. */
  readonly seeds: TensorHeader[] = [];
  readonly wanted = new Map<TapeNode, TensorHeader>();
  /** Forward values the backward pass reads, each as the tensor that owns the memory. */
  readonly demanded = new Set<TapeTensor>();
  readonly #parts: BackwardParts;
  readonly #gradients = new Map<TapeTensor, TensorHeader>();
  readonly #cacheReads = new Map<TapeTensor, CacheRead[]>();

  constructor(parts: BackwardParts) {
    this.#parts = parts;
  }

  /** @param nodes in order of computation */
  layOut(nodes: readonly TapeNode[], seeds: readonly TapeNode[], wanted: readonly TapeNode[]): void {
    const { inputs, emit, needed, rules, place } = this.#parts;
    const context = this.#context();
    const asked = new Set(wanted);
    const keep = (node: TapeNode, gradient: TensorHeader) => {
      const whole = emit.contiguous(gradient);
      this.wanted.set(node, whole);
      place(whole);
      return whole;
    };
    for (const node of seeds) {
      const seed = inputs.tensor(0, node.header.ne);
      this.seeds.push(seed);
      this.#add(node, seed);
    }
    for (const node of nodes.toReversed()) {
      if (!needed.has(node)) continue;
      const collected = this.#gradients.get(node);
      // A cache is filled by an operation nobody names as an operand.
      if (collected === undefined && node.operator !== 'SET_ROWS') continue;
      if (collected !== undefined && asked.has(node)) this.#gradients.set(node, keep(node, collected));
      const gradient = this.#gradients.get(node) ?? this.#parts.tensor(node, 0);
      if (collected !== undefined) place(gradient);
      rules.get(node.operator)?.backward(context, node, gradient);
      this.#gradients.delete(node);
    }
    for (const node of wanted) {
      const gradient = this.#gradients.get(node);
      if (gradient !== undefined && !this.wanted.has(node)) keep(node, gradient);
    }
  }

  #context(): BackwardContext {
    const { emit, products, tokens, needed, tensor } = this.#parts;
    const demand = (run: number) => (operand: TapeTensor) => {
      let root = operand;
      while (root.root !== null) root = root.root;
      this.demanded.add(root);
      if (root !== operand) this.demanded.add(operand);
      return tensor(operand, run);
    };
    return {
      emit,
      products,
      tokens,
      needs: (operand) => needed.has(operand),
      value: demand(0),
      reference: demand(1),
      accumulate: (operand, gradient) => {
        if (needed.has(operand)) this.#add(operand, gradient);
      },
      collected: (operand) => this.#gradients.get(operand) ?? null,
      replace: (operand, gradient) => {
        if (needed.has(operand)) this.#gradients.set(operand, gradient);
      },
      noteCacheRead: (cache, read) => {
        const reads = this.#cacheReads.get(cache) ?? [];
        reads.push(read);
        this.#cacheReads.set(cache, reads);
      },
      cacheReads: (cache) => this.#cacheReads.get(cache) ?? [],
    };
  }

  #add(tensor: TapeTensor, gradient: TensorHeader): void {
    const { emit } = this.#parts;
    const before = this.#gradients.get(tensor);
    this.#gradients.set(tensor, before === undefined ? gradient : emit.add(emit.contiguous(before), gradient));
  }
}
