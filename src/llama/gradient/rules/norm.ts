import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { Emitter } from '../execution/emitter.ts';
import { floatParameter, operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** (x − mean x) / √(variance + ε) over the fastest axis: an RMS norm between two centrings. Ba et al. 2016, arXiv 1607.06450. */
export const norm: OperatorRule = {
  operator: 'NORM',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    const centred = centre(emit, emit.contiguous(value(x)));
    accumulate(x, centre(emit, emit.rmsNormBack(emit.contiguous(gradient), centred, floatParameter(node, 0))));
  },
};

/** Rows minus their means. */
export function centre(emit: Emitter, x: TensorHeader): TensorHeader {
  return emit.subtract(x, emit.scale(emit.sumRows(x), 1 / x.ne[0]));
}
