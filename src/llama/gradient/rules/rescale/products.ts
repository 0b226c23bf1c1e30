import { matrixProduct as matrixDerivative } from '../matrixProduct.ts';
import { multiply as derivative } from '../multiply.ts';
import type { OperatorRule } from '../rule.ts';
import { meanValue } from './mean.ts';

/** ab − a₀b₀ = b̄ (a − a₀) + ā (b − b₀): the derivative at the mean of both runs. */
const atMean = (rule: OperatorRule): OperatorRule => ({
  operator: rule.operator,
  backward(context, node, gradient) {
    rule.backward({ ...context, value: (tensor) => meanValue(context, tensor) }, node, gradient);
  },
});

export const matrixProduct = atMean(matrixDerivative);
export const multiply = atMean(derivative);
