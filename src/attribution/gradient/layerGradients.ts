import type { Precision, Tensor } from '../../model/model.ts';
import type { LayerSite, Site } from '../../model/sites.ts';
import type { AttributionOptions } from '../method.ts';
import { type GradientInput, promptGradient, withoutPlan } from './promptGradient.ts';

/** Floats of a site and of its gradient held at once; longer prompts are differentiated in several passes over groups of layers. */
const heldFloats = 96 * 1024 * 1024;

/**
 * What a site holds and d target / d site, over prompt and target tokens, layer by layer in the order asked.
 * @param onLayer may overwrite the gradient; both tensors are dropped afterwards
 * @throws as `promptGradient`
 */
export async function layerGradients(
  input: GradientInput,
  kind: LayerSite,
  layers: readonly number[],
  onLayer: (layer: number, activation: Tensor, gradient: Tensor) => void,
  options: AttributionOptions = {},
): Promise<{ readonly precision: Precision; readonly forwardPasses: number }> {
  const size = input.tokens.length + input.target.continuation.length;
  const perPass = Math.max(1, Math.floor(heldFloats / (2 * size * widthOf(kind, size, input))));
  let forwardPasses = 0;
  let { precision } = input.model.info;
  for (let first = 0; first < layers.length; first += perPass) {
    const group = layers.slice(first, first + perPass);
    const sites = group.map((layer): Site => ({ kind, layer }));
    const result = await promptGradient(input, { at: sites, capture: sites }, first === 0 ? options : withoutPlan(options));
    group.forEach((layer, index) => {
      const site = sites[index] as Site;
      onLayer(layer, result.captured(site), result.gradient(site));
    });
    forwardPasses += result.forwardPasses;
    precision = result.precision;
  }
  return { precision, forwardPasses };
}

/** Numbers that the site holds for each of `size` tokens. */
function widthOf(kind: LayerSite, size: number, { model: { info } }: Pick<GradientInput, 'model'>): number {
  switch (kind) {
    case 'pattern':
    case 'scores':
      return info.heads * size;
    case 'mlp_post':
      return info.neurons;
    case 'q':
    case 'k':
    case 'v':
    case 'z':
      return info.heads * info.headSize;
    default:
      return info.hidden;
  }
}
