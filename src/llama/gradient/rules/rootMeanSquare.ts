import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { Emitter } from '../execution/emitter.ts';

/** √(mean x² + ε) of each row of a contiguous tensor: one number a row. */
export function rootMeanSquare(emit: Emitter, x: TensorHeader, epsilon: number): TensorHeader {
  return emit.squareRoot(emit.scale(emit.sumRows(emit.multiply(x, x)), 1 / x.ne[0], epsilon));
}
