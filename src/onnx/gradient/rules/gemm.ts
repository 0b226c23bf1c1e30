import { floatAttribute, intAttribute } from '../../graph/graph.ts';
import { float } from '../../graph/graphBuilder.ts';
import { addBroadcast } from './arithmetic.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** Y = alpha A B + beta C, A and B as they stand or transposed. */
export const gemm = ofFirstOutput((node, gradient, context) => {
  const { builder, add } = context;
  const [a, b, c] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
  const [transA, transB] = [intAttribute(node, 'transA', 0), intAttribute(node, 'transB', 0)];
  const alpha = floatAttribute(node, 'alpha', 1);
  const beta = floatAttribute(node, 'beta', 1);
  const product = (left: string, leftTransposed: number, right: string, rightTransposed: number) =>
    builder.node('Gemm', [left, right], { transA: leftTransposed, transB: rightTransposed, alpha: float(alpha) });
  add(a, () => (transA === 1 ? product(b, transB, gradient, 1) : product(gradient, 0, b, 1 - transB)));
  add(b, () => (transB === 1 ? product(gradient, 1, a, transA) : product(a, 1 - transA, gradient, 0)));
  if (c !== '') addBroadcast(context, node, c, () => (beta === 1 ? gradient : builder.multiply(gradient, builder.number(beta))));
});
