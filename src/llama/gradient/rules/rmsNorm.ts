import { floatParameter, operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** x / √(mean x² + ε) over the fastest axis. Zhang & Sennrich 2019, arXiv 1910.07467. */
export const rmsNorm: OperatorRule = {
  operator: 'RMS_NORM',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    accumulate(x, emit.rmsNormBack(emit.contiguous(gradient), emit.contiguous(value(x)), floatParameter(node, 0)));
  },
};
