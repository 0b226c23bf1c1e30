import { isActivation, operand } from '../../tape/tape.ts';
import { matrixProduct as matrixDerivative } from '../matrixProduct.ts';
import { multiply as derivative } from '../multiply.ts';
import type { OperatorRule } from '../rule.ts';

/** Two activations share the relevance of their product equally; with a weight it is a linear map and keeps its derivative. */
const shared = (rule: OperatorRule): OperatorRule => ({
  operator: rule.operator,
  backward(context, node, gradient) {
    const { emit } = context;
    const isBilinear = isActivation(operand(node, 0)) && isActivation(operand(node, 1));
    rule.backward(context, node, isBilinear ? emit.scale(emit.contiguous(gradient), 0.5) : gradient);
  },
});

/**
 * Both products of attention: half goes to the values and half to the probabilities; of that, half to the queries and half to the
 * keys. So values get 1/2, queries and keys 1/4 each of what a gradient would give.
 */
export const matrixProduct = shared(matrixDerivative);

export const multiply = shared(derivative);
