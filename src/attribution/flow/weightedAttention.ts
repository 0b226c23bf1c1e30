import type { Precision, Tensor } from '../../model/model.ts';
import type { AttributionOptions } from '../method.ts';
import { layerGradients } from '../gradient/layerGradients.ts';
import type { GradientInput } from '../gradient/promptGradient.ts';

/**
 * A ⊙ d target / d A of the asked layers, over prompt and target tokens: what each look, as it was, does for the target to first
 * order; signed, in the target's unit. Handed over layer by layer as [heads, query, key].
 * @throws as `promptGradient`
 */
export function weightedAttention(
  input: GradientInput,
  layers: readonly number[],
  onLayer: (layer: number, weighted: Tensor) => void,
  options: AttributionOptions = {},
): Promise<{ readonly precision: Precision; readonly forwardPasses: number }> {
  const multiply = (layer: number, pattern: Tensor, gradient: Tensor) => {
    // In place of the gradient, which nobody else reads: a long prompt has no room for a third copy.
    const weighted = gradient.data;
    for (let at = 0; at < weighted.length; at++) weighted[at] = (weighted[at] as number) * (pattern.data[at] as number);
    onLayer(layer, { shape: gradient.shape, data: weighted });
  };
  return layerGradients(input, 'pattern', layers, multiply, options);
}
