/**
 * AttnLRP (Achtibat et al. 2024, arXiv 2402.05602) as a modified gradient m: x · m is the relevance of x. Linear operators keep their
 * derivative, and so do choices and the softmax, whose Taylor expansion the paper uses; what differs is listed here. Exporters write
 * activations and norms as several operators: those are recognised by what they compute (`activation.ts`, `normScale.ts`).
 */
import { linearRules } from '../linear.ts';
import { ofFirstOutput, type RuleTable } from '../rule.ts';
import { derivatives } from '../rules.ts';
import { unaryRules } from '../unary.ts';
import { identityRule } from './activation.ts';
import { divide, multiply } from './elementwise.ts';
import { layerNormalization, rootMeanSquareNormalization } from './norms.ts';
import { shared } from './shared.ts';

const kept = ['Softmax', 'Where', 'ReduceMax', 'ReduceMin'];
const products = ['MatMul', 'Gemm', 'Einsum', 'com.microsoft:FusedMatMul', 'com.microsoft:TransposeMatMul', 'MatMulInteger'];
const activations = [...Object.keys(unaryRules).filter((key) => key !== 'Neg'), 'Pow', 'Clip'];
/** Of two activations: to the one that was chosen. */
const chosen = ['Max', 'Min'];

const activation = ofFirstOutput((node, gradient, context) => {
  if (!identityRule(node, gradient, context)) throw context.refusal('what it makes of 0 is not 0, and it has no relevance rule');
});

export const relevanceRules: RuleTable = new Map([
  ...linearRules,
  ...[...derivatives].filter(([key]) => kept.includes(key)),
  ...activations.map((key) => [key, activation] as const),
  ...[...derivatives].flatMap(([key, rule]) => (products.includes(key) ? [[key, shared(rule)] as const] : [])),
  ...[...derivatives].flatMap(([key, rule]) =>
    chosen.includes(key)
      ? [
          [
            key,
            ofFirstOutput((node, gradient, context) => {
              if (!identityRule(node, gradient, context)) rule(node, [gradient], context);
            }),
          ] as const,
        ]
      : [],
  ),
  ...Object.entries({
    Mul: multiply,
    Div: divide,
    LayerNormalization: layerNormalization,
    SimplifiedLayerNormalization: rootMeanSquareNormalization,
    RMSNormalization: rootMeanSquareNormalization,
  }),
]);
