import type { Precision, Tensor } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import type { AttributionOptions } from '../method.ts';
import { type GradientInput, promptGradient, withoutPlan } from '../gradient/promptGradient.ts';

/** Floats of attention and of its gradient held at once; longer prompts are differentiated in several passes over groups of layers. */
const heldFloats = 96 * 1024 * 1024;

/**
 * A ⊙ d target / d A of the asked layers, over prompt and target tokens: what each look, as it was, does for the target to first
 * order; signed, in the target's unit. Handed over layer by layer as [heads, query, key].
 * @throws as `promptGradient`
 */
export async function weightedAttention(
  input: GradientInput,
  layers: readonly number[],
  onLayer: (layer: number, weighted: Tensor) => void,
  options: AttributionOptions = {},
): Promise<{ readonly precision: Precision; readonly forwardPasses: number }> {
  const { info } = input.model;
  const size = input.tokens.length + input.target.continuation.length;
  const perPass = Math.max(1, Math.floor(heldFloats / (2 * info.heads * size ** 2)));
  let forwardPasses = 0;
  let { precision } = info;
  for (let first = 0; first < layers.length; first += perPass) {
    const group = layers.slice(first, first + perPass);
    const sites = group.map((layer): Site => ({ kind: 'pattern', layer }));
    const result = await promptGradient(input, { at: sites, capture: sites }, first === 0 ? options : withoutPlan(options));
    group.forEach((layer, index) => {
      const site = sites[index] as Site;
      const { shape, data } = result.captured(site);
      // In place of the gradient, which nobody else reads: a long prompt has no room for a third copy.
      const weighted = result.gradient(site).data;
      for (let at = 0; at < weighted.length; at++) weighted[at] = (weighted[at] as number) * (data[at] as number);
      onLayer(layer, { shape, data: weighted });
    });
    forwardPasses += result.forwardPasses;
    precision = result.precision;
  }
  return { precision, forwardPasses };
}
