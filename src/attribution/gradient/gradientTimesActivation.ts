import type { Tensor } from '../../model/model.ts';
import { isLayerSite, type LayerSite } from '../../model/sites.ts';
import { parameterInvalid } from '../../shared/errorCatalog.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import { sumByShownUnit } from '../scoredUnits.ts';
import { layerGradients } from './layerGradients.ts';
import { precisionParameter } from './promptGradient.ts';

const id = 'gradient-x-activation';
const defaultSite: LayerSite = 'resid_post';
const sites: readonly LayerSite[] = [
  defaultSite,
  'resid_mid',
  'resid_pre',
  'attn_out',
  'mlp_out',
  'mlp_post',
  'z',
  'v',
  'pattern',
];

/**
 * Gradient × activation at a site inside the model: for each token Σ a · d target / d a over what the site holds at its position (for
 * `pattern`: over the heads and queries that look at it), layer by layer. `pooled` weighs with the gradient's mean over all positions,
 * as Grad-CAM does (Selvaraju et al. 2017, arXiv 1610.02391, equations 1 and 2); `rectify` is its ReLU. In the target's unit; a score is
 * the mean over the asked layers, and each layer stands in the findings. See docs/methods/gradient-x-activation.md.
 */
export const gradientTimesActivation: AttributionMethod = {
  id,
  family: 'gradient',
  label: 'Gradient × activation (layer by layer)',
  assumption: 'What fading out the state at this word would change, in each layer. Deep layers hold more than the word itself.',
  needs: ['capture', 'gradient'],
  parameters: [
    { id: 'site', label: 'Site', default: defaultSite, choices: sites },
    { id: 'layer', label: 'Layer, -1 = all', default: -1, minimum: -1, maximum: 1023, whole: true },
    { id: 'weights', label: 'Gradient of', default: 'position', choices: ['position', 'pooled'] },
    { id: 'rectify', label: 'Only what speaks for the answer', default: false },
    precisionParameter,
  ],
  isUnsigned: ({ rectify }) => rectify === true,
  cost: () => 2,

  async attribute(input, options = {}) {
    const { parameters, units, tokens } = input;
    const kind = typeof parameters.site === 'string' && isLayerSite(parameters.site) ? parameters.site : defaultSite;
    const shares = kind === 'pattern' ? keyProducts : positionProducts;
    const layers: number[][] = [];
    const addLayer = (_layer: number, activation: Tensor, gradient: Tensor) => {
      const weights = parameters.weights === 'pooled' ? pooled(kind, gradient, tokens.length) : gradient;
      const products = shares(activation, weights, tokens.length);
      layers.push([...sumByShownUnit(units, parameters.rectify === true ? products.map((part) => Math.max(0, part)) : products)]);
    };
    const spent = await layerGradients(input, kind, wantedLayers(input), addLayer, options);
    const scores = Float32Array.from(units, (_unit, index) => {
      return layers.reduce((sum, layer) => sum + (layer[index] as number), 0) / layers.length;
    });
    return { scores, ...spent, findings: { layers }, warnings: [] };
  },
};

/** @throws E_PARAMETER for a layer the model does not have */
function wantedLayers({ parameters, model: { info } }: AttributionInput): number[] {
  const layer = Number(parameters.layer);
  if (layer === -1) return Array.from({ length: info.layers }, (_, index) => index);
  if (layer < info.layers) return [layer];
  const why = `the model has ${info.layers} layers, counted from 0`;
  throw parameterInvalid(id, 'layer', why, `use a number from 0 to ${info.layers - 1}, or -1 for all`);
}

/** Σ activation · weight at each of the first `count` positions. Both [T, …] */
function positionProducts(activation: Tensor, weights: Tensor, count: number): Float64Array {
  const [positions = 1] = activation.shape;
  const width = activation.data.length / positions;
  const products = new Float64Array(count);
  for (let at = 0; at < count * width; at++) {
    const position = Math.floor(at / width);
    products[position] = (products[position] as number) + (activation.data[at] as number) * (weights.data[at] as number);
  }
  return products;
}

/** Σ over heads and queries at each of the first `count` keys. Both [heads, query, key] */
function keyProducts(activation: Tensor, weights: Tensor, count: number): Float64Array {
  const size = activation.shape.at(-1) ?? 1;
  const products = new Float64Array(count);
  activation.data.forEach((share, at) => {
    const key = at % size;
    if (key < count) products[key] = (products[key] as number) + share * (weights.data[at] as number);
  });
  return products;
}

/**
 * The gradient's mean over the prompt's positions, at every position; of attention the mean of each head over its queries and the keys
 * they can see.
 */
function pooled(kind: LayerSite, gradient: Tensor, promptLength: number): Tensor {
  const { shape, data } = gradient;
  const result = new Float32Array(data.length);
  if (kind === 'pattern') {
    const size = shape.at(-1) ?? 1;
    const square = size * size;
    for (let start = 0; start < data.length; start += square) {
      // Above the diagonal a causal gradient is 0.
      const sum = data.subarray(start, start + square).reduce((total, part) => total + part, 0);
      result.fill(sum / ((size * (size + 1)) / 2), start, start + square);
    }
    return { shape, data: result };
  }
  const width = data.length / (shape[0] ?? 1);
  const mean = new Float64Array(width);
  for (let at = 0; at < promptLength * width; at++) {
    mean[at % width] = (mean[at % width] as number) + (data[at] as number) / promptLength;
  }
  return { shape, data: result.map((_, at) => mean[at % width] as number) };
}
