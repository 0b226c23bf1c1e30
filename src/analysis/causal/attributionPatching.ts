import type { Model } from '../../model/model.ts';
import type { LayerSite } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { LayerActivations } from './activationRows.ts';
import type { PromptPair } from './promptPair.ts';

/**
 * First-order estimate of every patch at once (Nanda 2023; Syed et al. 2023, arXiv 2310.10348): ⟨source − base, d target / d site⟩ at the
 * base run. One forward and one backward pass beside the two runs the activations come from.
 * @param place which layers, ascending; by positions: [layers, T] of the prompt, by heads: [layers, H], over the target's continuation too,
 * as a patch of a head is
 * @returns estimated change of the target, in its unit
 * @throws as `Model.gradient`
 */
export async function attributionPatching(
  model: Model,
  { target, corrupt, clean, corruptTokens, cleanTokens }: PromptPair,
  { site, by, layers }: { readonly site: LayerSite; readonly by: 'position' | 'head'; readonly layers: readonly number[] },
  runs: { readonly source: LayerActivations; readonly base: LayerActivations; readonly baseIsClean: boolean },
  signal: AbortSignal,
): Promise<Float64Array> {
  const length = (runs.baseIsClean ? clean : corrupt).ids.length;
  const tokens = runs.baseIsClean ? cleanTokens : corruptTokens;
  const { targets } = await model.gradient(
    {
      tokens,
      targets: [target.gradient(length)],
      at: layers.map((layer) => ({ kind: site, layer })),
    },
    { signal },
  );
  const gradients = targets[0]?.gradients;
  if (gradients === undefined) throw numeric('the gradient');
  const columns = by === 'head' ? model.info.heads : length;
  const estimates = new Float64Array(layers.length * columns);
  for (const [row, layer] of layers.entries()) {
    const gradient = gradients.get(`${site}.${layer}`);
    if (gradient === undefined) throw numeric(`the gradient at ${site}.${layer}`);
    for (let position = 0; position < (by === 'head' ? tokens.length : length); position++) {
      const [from, to] = [runs.source.at(layer, position), runs.base.at(layer, position)];
      const width = from.length / (by === 'head' ? columns : 1);
      const slope = gradient.data.subarray(position * from.length, (position + 1) * from.length);
      for (let index = 0; index < slope.length; index++) {
        const column = by === 'head' ? Math.floor(index / width) : position;
        const change = ((from[index] as number) - (to[index] as number)) * (slope[index] as number);
        estimates[row * columns + column] = (estimates[row * columns + column] as number) + change;
      }
    }
  }
  return estimates;
}
