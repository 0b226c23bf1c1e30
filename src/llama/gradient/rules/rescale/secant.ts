import type { TensorHeader } from '../../../graph/tensorHeader.ts';
import type { Emitter } from '../../execution/emitter.ts';

/** Where two numbers are nearer than this, their difference says less about a function than its derivative between them. */
const near = 1e-2;

/** Both runs of x and of y = f(x), contiguous, of one shape. */
export interface Secant {
  readonly x: readonly [TensorHeader, TensorHeader];
  readonly y: readonly [TensorHeader, TensorHeader];
}

/**
 * (y − y₀) / (x − x₀), or `between` where x and x₀ are near.
 * @param between f′ somewhere between x and x₀
 */
export function slope(emit: Emitter, { x, y }: Secant, between: TensorHeader): TensorHeader {
  const distance = emit.subtract(...x);
  const isFar = emit.unary(emit.scale(emit.multiply(distance, distance), 1, -near * near), 'STEP');
  const isNear = emit.scale(isFar, -1, 1);
  const quotient = emit.divide(emit.subtract(...y), emit.add(distance, isNear));
  return emit.add(emit.multiply(quotient, isFar), emit.multiply(between, isNear));
}
