/** What stands in the place of an ablated part. */
import { shuffled } from '../../attribution/seededRandom.ts';
import type { Patch } from '../../model/model.ts';
import type { LayerActivations } from './activationRows.ts';
import { type AblatedPart, type AblatedPlace, ablatedSites } from './ablationGrid.ts';

export const replacements = ['zero', 'mean', 'resample', 'shuffle'] as const;
export type Replacement = (typeof replacements)[number];

export interface AblationSource {
  readonly what: AblatedPart;
  readonly how: Replacement;
  /** Positions of prompt and continuation. */
  readonly length: number;
  /** Activations of the same run, for neurons and for `shuffle`; null where they are not needed. */
  readonly own: LayerActivations | null;
  /** Those of the other prompt with the same continuation, for `resample`. */
  readonly other: LayerActivations | null;
  /** For `shuffle`: the position whose activations stand at each position. */
  readonly order: readonly number[];
}

/** The change inside the model that replaces one part. */
export function ablation(source: AblationSource, place: AblatedPlace): Patch {
  const { what, how, length, own, other, order } = source;
  const { layer, neuron, ...part } = place;
  if (how === 'shuffle')
    return neuron === undefined ? required(own).moved(layer, part, length, from(order)) : neuronPatch(source, place);
  if (neuron !== undefined) return neuronPatch(source, place);
  if (how === 'resample') return required(other).resampled(layer, part, length);
  return { site: { kind: ablatedSites[what], layer }, ...part, operation: { kind: how } };
}

/** The rows of the layer's neurons as they are, with one neuron replaced. */
function neuronPatch({ how, length, own, other, order }: AblationSource, { layer, neuron = 0, positions }: AblatedPlace): Patch {
  const kept = required(own);
  const chosen = positions ?? Array.from({ length }, (_, position) => position);
  const replaced = (position: number): number => {
    switch (how) {
      case 'zero':
        return 0;
      case 'mean':
        return kept.mean(layer, neuron);
      case 'resample':
        return required(other).aligned(layer, position, length)[neuron] as number;
      case 'shuffle':
        return kept.at(layer, order[position] as number)[neuron] as number;
    }
  };
  const patch = kept.moved(layer, { positions: chosen }, length, (position) => position);
  if (patch.operation.kind !== 'overwrite') return patch;
  const { values } = patch.operation;
  const width = values.length / chosen.length;
  chosen.forEach((position, row) => {
    values[row * width + neuron] = replaced(position);
  });
  return patch;
}

/** A permutation of the positions, drawn until none stays where it is (two tries in three fail, so few are needed). */
export function displaced(length: number, random: () => number): number[] {
  const positions = Array.from({ length }, (_, position) => position);
  if (length < 2) return positions;
  for (;;) {
    const order = shuffled(positions, random);
    if (order.every((source, position) => source !== position)) return order;
  }
}

function from(order: readonly number[]) {
  return (position: number) => order[position] as number;
}

function required(activations: LayerActivations | null): LayerActivations {
  if (activations === null) throw new Error('activations were not read');
  return activations;
}
