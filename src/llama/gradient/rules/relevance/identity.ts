import type { TensorHeader } from '../../../graph/tensorHeader.ts';
import type { Emitter } from '../../execution/emitter.ts';

/** Keeps 0 / 0 at 0, and changes no other quotient of single precision. */
const tiny = 1e-30;

/**
 * All relevance of y = f(x) goes to x: the gradient times y / x where a derivative would be f′(x). 0 where x is 0.
 * @param gradient, x, y contiguous, of one shape
 */
export function identityRule(emit: Emitter, gradient: TensorHeader, x: TensorHeader, y: TensorHeader): TensorHeader {
  return emit.multiply(gradient, emit.divide(y, emit.scale(x, 1, tiny)));
}
