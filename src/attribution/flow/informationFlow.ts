import { cancelled, methodUnsupported } from '../../shared/errorCatalog.ts';
import type { AttributionMethod, AttributionOptions } from '../method.ts';
import { sumByShownUnit } from '../scoredUnits.ts';
import { wholeSequence } from '../gradient/promptGradient.ts';
import { rowContributions } from './contributions.ts';
import { type AttentionParts, attentionParts, partsPasses } from './headOutputs.ts';

const id = 'information-flow';

/** Floats of attention and of head outputs held at once; more layers are taken apart group by group. */
const heldFloats = 96 * 1024 * 1024;

/**
 * How much of the state that predicts the target comes from each token, followed through all layers: a share in [0, 1], unsigned.
 * `alti`: contributions of captured vectors, multiplied through the layers (Ferrando et al. 2022, arXiv 2203.04212). `routes`: only along
 * edges whose share is at least `threshold` (information-flow routes, Ferrando & Voita 2024, arXiv 2403.00824). What flows through an
 * MLP stays at its position. See docs/methods/information-flow.md.
 */
export const informationFlow: AttributionMethod = {
  id,
  family: 'flow',
  label: 'Information flow (ALTI)',
  assumption: 'Which words the state behind the answer is made of, by the size of what each wrote. Not whether it mattered.',
  needs: ['forward', 'capture', 'patch'],
  parameters: [
    { id: 'aggregation', label: 'Follow', default: 'alti', choices: ['alti', 'routes'] },
    { id: 'threshold', label: 'Smallest share of a route', default: 0.04, minimum: 0, maximum: 1 },
  ],
  isUnsigned: () => true,
  // One for each head of a usual small model, and three.
  cost: () => 12,

  async attribute(input, options = {}) {
    const { model, target, units, parameters } = input;
    const { layers, heads, hidden, headSize } = model.info;
    const tokens = wholeSequence(input);
    const size = tokens.length;
    const rows = target.reads(input.tokens.length).map(({ position }) => position);
    let mass = new Float64Array(size);
    for (const row of rows) mass[row] = (mass[row] as number) + 1 / rows.length;
    const perLayer = heads * size * size + (heads + 4) * size * Math.max(hidden, heads * headSize);
    const perGroup = Math.max(1, Math.min(layers, Math.floor(heldFloats / perLayer)));
    const smallest = parameters.aggregation === 'routes' ? Number(parameters.threshold) : 0;
    let forwardPasses = 0;
    for (let above = layers; above > 0; above -= perGroup) {
      const group = Array.from({ length: Math.min(perGroup, above) }, (_, index) => above - 1 - index);
      for (const parts of await attentionParts(model, tokens, group, options)) {
        if (!parts.isSum) {
          throw methodUnsupported(id, 'attention whose heads are added up without a norm of their own', [
            'attention',
            'attention-flow',
          ]);
        }
        mass = await throughLayer(mass, parts, smallest, options);
        options.onProgress?.(layers - parts.layer, layers);
      }
      forwardPasses += partsPasses(model);
    }
    return { scores: sumByShownUnit(units, mass), forwardPasses, scoreUnit: 'share', warnings: [] };
  },
};

/** Rows between two looks at whether to stop. */
const rowsAtOnce = 16;

/** Where the mass at each position of a layer's output stood at its input. @throws E_CANCELLED */
async function throughLayer(
  mass: Float64Array<ArrayBuffer>,
  parts: AttentionParts,
  smallest: number,
  { signal }: AttributionOptions,
): Promise<Float64Array<ArrayBuffer>> {
  const result = new Float64Array(mass.length);
  for (let row = 0; row < mass.length; row++) {
    if (row % rowsAtOnce === rowsAtOnce - 1) {
      await new Promise((resolve) => setTimeout(resolve));
      if (signal?.aborted === true) throw cancelled();
    }
    const here = mass[row] as number;
    if (here === 0) continue;
    rowContributions(parts, row).forEach((share, key) => {
      if (share >= smallest) result[key] = (result[key] as number) + here * share;
    });
  }
  return result;
}
