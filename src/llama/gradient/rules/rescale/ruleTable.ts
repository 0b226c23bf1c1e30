/**
 * The rescale rule of DeepLIFT (Shrikumar et al. 2017, arXiv 1704.02685), carried to every operator so that it is complete: multipliers m
 * between two runs with Σ m · (x − x₀) = f(x) − f(x₀). Linear operators keep their derivative; what differs is listed here.
 */
import type { RuleTable } from '../rule.ts';
import { operatorRules } from '../ruleTable.ts';
import { clamp, unary } from './elementwise.ts';
import { divide } from './divide.ts';
import { expertProduct } from './expertProduct.ts';
import { gatedUnit } from './gatedUnit.ts';
import { norm, rmsNorm } from './norms.ts';
import { matrixProduct, multiply } from './products.ts';
import { square, squareRoot } from './powers.ts';
import { softmax } from './softmax.ts';

export const rescaleRules: RuleTable = new Map([
  ...operatorRules,
  ...[clamp, divide, expertProduct, gatedUnit, matrixProduct, multiply, norm, rmsNorm, softmax, square, squareRoot, unary].map(
    (rule) => [rule.operator, rule] as const,
  ),
]);
