import { elementTypes } from '../graph/graph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import { isFixedAxis, type Probe, type TensorFacts } from '../graph/probe.ts';

/** A shape in both probe runs. What differs between them depends on the prompt's length. */
export type DimsPair = readonly [readonly number[], readonly number[]];

/**
 * Shapes while a backward graph is written: what is the same in both probe runs is taken as fixed, everything else is computed when
 * the graph runs, so the graph holds at any prompt length.
 */
export class Shapes {
  readonly #names = new Map<string, string>();

  constructor(
    private readonly builder: GraphBuilder,
    private readonly probe: Probe,
    /** Throws for a tensor that was not seen. */
    readonly facts: (tensor: string) => TensorFacts,
  ) {}

  dims(tensor: string): DimsPair {
    return this.facts(tensor).dims;
  }

  rank(tensor: string): number {
    return this.dims(tensor)[0].length;
  }

  /** −1 is the last axis. */
  axis(tensor: string, axis: number): number {
    return axis < 0 ? axis + this.rank(tensor) : axis;
  }

  /** Size of an axis, or null when it depends on the prompt's length. */
  fixedSize(tensor: string, axis: number): number | null {
    const facts = this.facts(tensor);
    return isFixedAxis(facts, axis) ? (facts.dims[0].at(axis) ?? null) : null;
  }

  /** Values of a small tensor of whole numbers that are the same in both runs; null when there are none. */
  wholeNumbers(tensor: string): readonly number[] | null {
    const { type, values } = this.facts(tensor);
    if (values === null || (type !== elementTypes.int64 && type !== elementTypes.int32)) return null;
    const [first, second] = values;
    return first.length === second.length && first.every((value, i) => value === second[i]) ? first : null;
  }

  /** The shape as a tensor: [rank] int64. */
  of(tensor: string): string {
    return this.#once(`shape ${tensor}`, () => {
      const { builder } = this;
      const parts = this.dims(tensor)[0].map((_, axis) => this.fixedSize(tensor, axis));
      const fixed = parts.filter((size) => size !== null);
      if (fixed.length === parts.length) return builder.ints(...fixed);
      const varying = parts.flatMap((size, axis) => (size === null ? [axis] : []));
      // Not the shape of the tensor itself: asking for that keeps its values in memory until the backward pass.
      if (this.#promptLength() === null || !varying.every((axis) => this.#isPromptLength(tensor, axis)))
        return builder.shape(tensor);
      return builder.node(
        'Concat',
        parts.map((_, axis) => this.size(tensor, axis)),
        { axis: 0 },
      );
    });
  }

  /** The size of one axis as a tensor: [1] int64. */
  size(tensor: string, axis: number): string {
    const place = this.axis(tensor, axis);
    const fixed = this.fixedSize(tensor, place);
    if (fixed !== null) return this.builder.ints(fixed);
    const length = this.#isPromptLength(tensor, place) ? this.#promptLength() : null;
    return (
      length ??
      this.#once(`size ${place} ${tensor}`, () => this.builder.node('Gather', [this.of(tensor), this.builder.ints(place)]))
    );
  }

  /**
   * The inverse of broadcasting: sums the axes along which `tensor` was repeated.
   * @param from shape of the gradient
   */
  sumTo(gradient: string, from: DimsPair, tensor: string): string {
    const [first, second] = this.dims(tensor);
    const leading = from[0].length - first.length;
    const repeated = from[0].flatMap((size, axis) => {
      const own = axis - leading;
      const isOne = own < 0 || (first[own] === 1 && second[own] === 1);
      return isOne && (size !== 1 || from[1][axis] !== 1) ? [axis] : [];
    });
    const summed = repeated.length === 0 ? gradient : this.builder.sum(gradient, repeated);
    return leading === 0 ? summed : this.builder.squeeze(summed, range(leading));
  }

  /**
   * The gradient in the shape of `tensor`, whose elements it has in the same order.
   * @param from shape of the gradient
   */
  reshapeTo(gradient: string, from: DimsPair, tensor: string): string {
    const to = this.dims(tensor);
    const agrees = (axis: number) => from[0][axis] === to[0][axis] && from[1][axis] === to[1][axis];
    if (from[0].length === to[0].length && to[0].every((_, axis) => agrees(axis))) return gradient;
    let inferred = 0;
    const target = to[0].map((_, axis) => {
      const size = this.fixedSize(tensor, axis);
      if (size !== null && size !== 0) return size;
      if (size === null && agrees(axis)) return 0; // as in the gradient
      inferred++;
      return -1;
    });
    return inferred <= 1 && !to[0].includes(0)
      ? this.builder.reshape(gradient, target)
      : this.builder.node('Reshape', [gradient, this.of(tensor)]);
  }

  #isPromptLength(tensor: string, axis: number): boolean {
    const [first, second] = this.dims(tensor);
    return first[axis] === this.probe.lengths[0] && second[axis] === this.probe.lengths[1];
  }

  /** Tokens of the prompt, [1] int64, read off the shape of an input. */
  #promptLength(): string | null {
    for (const { name } of this.builder.graph.inputs) {
      const dims = this.probe.facts(name)?.dims;
      const axis = dims?.[0].findIndex((size, i) => size === this.probe.lengths[0] && dims[1][i] === this.probe.lengths[1]) ?? -1;
      if (axis < 0) continue;
      return this.#once('prompt length', () => this.builder.node('Gather', [this.builder.shape(name), this.builder.ints(axis)]));
    }
    return null;
  }

  #once(key: string, make: () => string): string {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.#names.set(key, name);
    return name;
  }
}

/** 0 … count − 1 */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
