import type { TensorHeader } from '../../graph/tensorHeader.ts';
import { sameShape } from '../execution/emitter.ts';
import type { TapeTensor } from '../tape/tape.ts';
import type { BackwardContext } from './rule.ts';

/** Sums a gradient over the axes along which an operand was repeated. */
export function reducedTo({ emit, value }: BackwardContext, gradient: TensorHeader, target: TapeTensor): TensorHeader {
  if (sameShape(gradient.ne, target.header.ne)) return gradient;
  return emit.repeatBack(emit.contiguous(gradient), value(target));
}
