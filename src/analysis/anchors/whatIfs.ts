/** Changes of how the answer sees the examples, each to be measured: label words weighted, all but the anchors gone. */
import { seededRandom, shuffled } from '../../attribution/seededRandom.ts';
import type { Model, Patch, RowRead, RowResult } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { AnchorPlaces } from './anchorPlaces.ts';

export interface WhatIf {
  readonly id: string;
  readonly label: string;
  /** Tokens that the question no longer needs to read. */
  readonly saved: number;
  /** Whether it needs a model whose forward pass can be changed. */
  readonly isPatch: boolean;
  /** The prompt as it is read then, and the changes inside. `ids`: a prompt whose examples are the measured ones. */
  readonly change: (ids: Int32Array) => { readonly ids: Int32Array; readonly patches: readonly Patch[] };
}

/** By how much attention to the label words is multiplied before the softmax shares out. */
const weights = [0, 0.5, 2, 4];

type Sizes = Pick<Model['info'], 'layers' | 'heads'>;

/** All of them. `anchors`: in every layer the question sees of the examples only their anchors (the paper's Hidden_anchor). */
export function whatIfs(places: AnchorPlaces, sizes: Sizes, seed: number): WhatIf[] {
  const { anchors, rest } = places;
  const inside = [...anchors, ...rest].filter((token) => token !== 0).sort((a, b) => a - b);
  const random = shuffled(inside, seededRandom(seed)).slice(0, rest.length);
  return [
    ...weights.map((weight) => weighted(places, sizes, weight)),
    hidden('anchors', 'only labels and format stay visible', rest, places, sizes),
    hidden('random', 'as many random tokens stay visible', random, places, sizes),
    {
      id: 'text',
      label: 'a prompt of labels and format alone',
      saved: rest.length,
      isPatch: false,
      change: (ids) => ({ ids: ids.filter((_id, index) => !rest.includes(index)), patches: [] }),
    },
  ];
}

/** exp(score) · weight at the labels, for the place of the answer, in every layer and head (the paper's re-weighting, with one weight for all). */
function weighted({ labels }: AnchorPlaces, { layers, heads }: Sizes, weight: number): WhatIf {
  return {
    id: `weight-${weight}`,
    label: weight === 0 ? 'the answer does not see the labels' : `labels weigh ${weight} times as much`,
    saved: 0,
    isPatch: true,
    change: (ids) => {
      const position = ids.length - 1;
      const values = new Float32Array(heads * ids.length);
      for (let head = 0; head < heads; head++) for (const label of labels) values[head * ids.length + label] = Math.log(weight);
      const operation: Patch['operation'] = weight === 0 ? { kind: 'hide', keys: labels } : { kind: 'add', values };
      const patches = Array.from(
        { length: layers },
        (_, layer): Patch => ({ site: { kind: 'scores', layer }, positions: [position], operation }),
      );
      return { ids, patches };
    },
  };
}

function hidden(id: string, label: string, keys: readonly number[], { questionStart }: AnchorPlaces, { layers }: Sizes): WhatIf {
  return {
    id,
    label,
    saved: keys.length,
    isPatch: true,
    change: (ids) => {
      const positions = Array.from({ length: ids.length - questionStart }, (_, index) => questionStart + index);
      if (keys.length === 0) return { ids, patches: [] };
      const patches = Array.from(
        { length: layers },
        (_, layer): Patch => ({ site: { kind: 'scores', layer }, positions, operation: { kind: 'hide', keys } }),
      );
      return { ids, patches };
    },
  };
}

/** Probability of each class among the classes after a prompt, [prompts][classes]. @throws E_NUMERIC, and as `Model.forward` */
export async function classProbabilities(
  model: Model,
  changed: readonly ReturnType<WhatIf['change']>[],
  classIds: readonly number[],
  signal: AbortSignal,
  onDone: () => void = () => undefined,
): Promise<number[][]> {
  const read = (ids: Int32Array): RowRead[] => [{ position: ids.length - 1, ids: classIds }];
  if (changed.every(({ patches }) => patches.length === 0)) {
    const variants = changed.map(({ ids }) => ({ tokens: ids, read: read(ids) }));
    const results = await model.forwardVariants({ variants }, { signal, onResult: onDone });
    return results.map(({ read: [row] }) => shares(row));
  }
  const found: number[][] = [];
  for (const { ids, patches } of changed) {
    const result = await model.forward({ tokens: ids, read: read(ids), patches }, { signal });
    if (result.nonFinite !== null) throw numeric(result.nonFinite);
    found.push(shares(result.read[0]));
    onDone();
  }
  return found;
}

function shares(row: RowResult | undefined): number[] {
  const logits = Array.from(row?.logits ?? []);
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  const found = powers.map((power) => power / sum);
  if (!found.every(Number.isFinite) || found.length === 0) throw numeric('logits');
  return found;
}
