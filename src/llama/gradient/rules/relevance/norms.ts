/** Normalisations with the scale taken as a constant, so that all relevance passes. */
import { floatParameter, operand } from '../../tape/tape.ts';
import { centre } from '../norm.ts';
import { rootMeanSquare } from '../rootMeanSquare.ts';
import type { OperatorRule } from '../rule.ts';

/** x / √(mean x² + ε) */
export const rmsNorm: OperatorRule = {
  operator: 'RMS_NORM',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    accumulate(
      x,
      emit.divide(emit.contiguous(gradient), rootMeanSquare(emit, emit.contiguous(value(x)), floatParameter(node, 0))),
    );
  },
};

/** (x − mean x) / √(variance + ε); the centring is linear and keeps its derivative. */
export const norm: OperatorRule = {
  operator: 'NORM',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    const deviation = rootMeanSquare(emit, centre(emit, emit.contiguous(value(x))), floatParameter(node, 0));
    accumulate(x, centre(emit, emit.divide(emit.contiguous(gradient), deviation)));
  },
};
