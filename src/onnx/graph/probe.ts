/**
 * What two runs at different prompt lengths showed of every tensor: used instead of shape inference, which ONNX Runtime does not
 * offer and which operators of other domains would need rules for. Filled by `runtime/`.
 */
export interface TensorFacts {
  /** Code of `elementTypes`. */
  readonly type: number;
  /** Shape in the first and in the second run. */
  readonly dims: readonly [readonly number[], readonly number[]];
  /** Values of small tensors (at most 64 elements) of whole numbers, booleans or 32- and 64-bit floats in both runs; null for others. */
  readonly values: readonly [readonly number[], readonly number[]] | null;
}

export interface Probe {
  /** Tokens of the two runs. */
  readonly lengths: readonly [number, number];
  /** By tensor name: graph inputs, initializers and every node's outputs. Undefined: the tensor was not seen. */
  facts(tensor: string): TensorFacts | undefined;
}

/** True where axis `axis` of a tensor has the same size in both runs. */
export function isFixedAxis({ dims: [first, second] }: TensorFacts, axis: number): boolean {
  return first.at(axis) === second.at(axis);
}
