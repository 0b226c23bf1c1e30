import { lowerBiasGelu, lowerFastGelu } from './biasGelu.ts';
import { lowerEmbedLayerNormalization } from './embedLayerNormalization.ts';
import { lowerGroupQueryAttention } from './groupQueryAttention.ts';
import type { LoweringRule } from './loweringContext.ts';
import { lowerMicrosoftAttention, lowerQuantisedAttention } from './microsoftAttention.ts';
import { lowerMultiHeadAttention } from './multiHeadAttention.ts';
import { lowerOnnxAttention } from './onnxAttention.ts';
import { lowerQGemm, lowerQLinearMatMul } from './quantisedProduct.ts';
import { lowerMicrosoftRotary, lowerOnnxRotary } from './rotaryEmbedding.ts';
import { lowerQuantisedEmbedLayerNormalization } from './quantisedEmbedLayerNormalization.ts';
import { lowerSkipLayerNormalization, lowerSkipSimplifiedLayerNormalization } from './skipLayerNormalization.ts';

/** Fused operators, each by its key, and what writes primitive ones for it. */
export const loweringRules: ReadonlyMap<string, LoweringRule> = new Map([
  ['Attention', lowerOnnxAttention],
  ['QLinearMatMul', lowerQLinearMatMul],
  ['RotaryEmbedding', lowerOnnxRotary],
  ['com.microsoft:Attention', lowerMicrosoftAttention],
  ['com.microsoft:BiasGelu', lowerBiasGelu],
  ['com.microsoft:EmbedLayerNormalization', lowerEmbedLayerNormalization],
  ['com.microsoft:FastGelu', lowerFastGelu],
  ['com.microsoft:GroupQueryAttention', lowerGroupQueryAttention],
  ['com.microsoft:MultiHeadAttention', lowerMultiHeadAttention],
  ['com.microsoft:QAttention', lowerQuantisedAttention],
  ['com.microsoft:QEmbedLayerNormalization', lowerQuantisedEmbedLayerNormalization],
  ['com.microsoft:QGemm', lowerQGemm],
  ['com.microsoft:RotaryEmbedding', lowerMicrosoftRotary],
  ['com.microsoft:SkipLayerNormalization', lowerSkipLayerNormalization],
  ['com.microsoft:SkipSimplifiedLayerNormalization', lowerSkipSimplifiedLayerNormalization],
]);
