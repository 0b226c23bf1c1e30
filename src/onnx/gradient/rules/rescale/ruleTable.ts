/**
 * The rescale rule of DeepLIFT (Shrikumar et al. 2017, arXiv 1704.02685), carried to every operator so that it is complete: multipliers m
 * between two runs with Σ m · (x − x₀) = f(x) − f(x₀). Linear operators keep their derivative; what differs is listed here.
 */
import { linearRules } from '../linear.ts';
import type { RuleTable } from '../rule.ts';
import { derivatives } from '../rules.ts';
import { unaryRules } from '../unary.ts';
import { choice } from './choice.ts';
import { divide } from './divide.ts';
import { layerNormalization, rootMeanSquareNormalization } from './norms.ts';
import { power, reciprocal, squareRoot } from './powers.ts';
import { atMean, integerProduct } from './products.ts';
import { reduceL2 } from './reduceL2.ts';
import { secant } from './secant.ts';
import { logSoftmax, softmax } from './softmax.ts';

/** At the mean of both runs the derivative of these is the quotient of differences. */
const bilinear = [
  ...['Mul', 'MatMul', 'Gemm', 'Einsum', 'ReduceSumSquare', 'com.microsoft:FusedMatMul', 'com.microsoft:TransposeMatMul'],
];
/** Functions of one number. */
const functions = [...Object.keys(unaryRules).filter((key) => key !== 'Neg'), 'Clip', 'Max', 'Min'];

const changed = (keys: readonly string[], change: (rule: NonNullable<ReturnType<RuleTable['get']>>) => typeof rule) =>
  keys.flatMap((key) => {
    const rule = derivatives.get(key);
    return rule === undefined ? [] : [[key, change(rule)] as const];
  });

export const rescaleRules: RuleTable = new Map([
  ...linearRules,
  ...changed(bilinear, atMean),
  ...changed(functions, secant),
  ...changed(['MatMulInteger'], integerProduct),
  ...changed(['Where'], choice),
  ...Object.entries({
    Div: divide,
    Pow: power,
    Sqrt: squareRoot,
    Reciprocal: reciprocal,
    ReduceL2: reduceL2,
    Softmax: softmax,
    LogSoftmax: logSoftmax,
    LayerNormalization: layerNormalization,
    SimplifiedLayerNormalization: rootMeanSquareNormalization,
    RMSNormalization: rootMeanSquareNormalization,
  }),
]);
