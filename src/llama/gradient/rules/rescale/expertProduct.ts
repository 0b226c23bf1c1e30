import { expertProduct as derivative } from '../expertProduct.ts';
import type { OperatorRule } from '../rule.ts';

export const expertProduct: OperatorRule = {
  ...derivative,
  refusal: () => 'the two inputs that are compared may choose different experts',
};
