import type { TensorHeader } from '../../../graph/tensorHeader.ts';
import { isActivation, type TapeTensor } from '../../tape/tape.ts';
import type { BackwardContext } from '../rule.ts';

/** (x + x₀) / 2 of two tensors of one shape; contiguous. */
export function meanOf({ emit }: Pick<BackwardContext, 'emit'>, x: TensorHeader, reference: TensorHeader): TensorHeader {
  return emit.scale(emit.add(emit.contiguous(x), emit.contiguous(reference)), 0.5);
}

/** A tensor's mean over both runs; a weight is the same in both. */
export function meanValue(context: BackwardContext, tensor: TapeTensor): TensorHeader {
  return isActivation(tensor) ? meanOf(context, context.value(tensor), context.reference(tensor)) : context.value(tensor);
}
