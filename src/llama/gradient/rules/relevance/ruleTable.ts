/**
 * AttnLRP (Achtibat et al. 2024, arXiv 2402.05602) as a modified gradient m: x · m is the relevance of x. Linear operators keep their
 * derivative, and so does the softmax, whose Taylor expansion the paper uses; what differs is listed here.
 */
import type { RuleTable } from '../rule.ts';
import { operatorRules } from '../ruleTable.ts';
import { divide } from './divide.ts';
import { gatedUnit } from './gatedUnit.ts';
import { norm, rmsNorm } from './norms.ts';
import { matrixProduct, multiply } from './products.ts';
import { square, squareRoot, unary } from './unary.ts';

export const relevanceRules: RuleTable = new Map([
  ...operatorRules,
  ...[divide, gatedUnit, matrixProduct, multiply, norm, rmsNorm, square, squareRoot, unary].map(
    (rule) => [rule.operator, rule] as const,
  ),
]);
