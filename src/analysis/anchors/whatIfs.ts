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

function weighted(places: AnchorPlaces, sizes: Sizes, weight: number): WhatIf {
  return {
    id: `weight-${weight}`,
    label: weight === 0 ? 'the answer does not see the labels' : `labels weigh ${weight} times as much`,
    saved: 0,
    isPatch: true,
    change: (ids) => {
      const hidden: Patch['operation'] = { kind: 'hide', keys: places.labels };
      const patches = atAnswer(ids, sizes, (layer) =>
        weight === 0 ? hidden : addedScores(places, sizes, layer, () => weight, ids.length),
      );
      return { ids, patches };
    },
  };
}

/** One weight for the labels of each class, the same in every layer and head. */
export function weightedClasses(places: AnchorPlaces, sizes: Sizes, weights: readonly number[]): WhatIf {
  const weightOf: WeightOf = (_layer, _head, name) => weights[name] ?? 1;
  return fittedWhatIf('fitted', 'weight fitted by label', places, sizes, weightOf);
}

/** @param weights [layers, heads, classes] */
export function weightedHeads(places: AnchorPlaces, sizes: Sizes, weights: Float64Array): WhatIf {
  const classes = weights.length / (sizes.layers * sizes.heads);
  const weightOf: WeightOf = (layer, head, name) => weights[(layer * sizes.heads + head) * classes + name] ?? 1;
  return fittedWhatIf('fitted-heads', 'weight fitted by head', places, sizes, weightOf);
}

type WeightOf = (layer: number, head: number, className: number) => number;

function fittedWhatIf(id: string, label: string, places: AnchorPlaces, sizes: Sizes, weightOf: WeightOf): WhatIf {
  const change: WhatIf['change'] = (ids) => ({
    ids,
    patches: atAnswer(ids, sizes, (layer) => addedScores(places, sizes, layer, weightOf, ids.length)),
  });
  return { id, label, saved: 0, isPatch: true, change };
}

/** exp(score) · weight at the labels of one layer (the paper's re-weighting). */
function addedScores(
  { labels, classOf }: AnchorPlaces,
  { heads }: Sizes,
  layer: number,
  weightOf: WeightOf,
  size: number,
): Patch['operation'] {
  const values = new Float32Array(heads * size);
  for (let head = 0; head < heads; head++) {
    for (const [example, label] of labels.entries()) {
      values[head * size + label] = Math.log(weightOf(layer, head, classOf[example] ?? 0));
    }
  }
  return { kind: 'add', values };
}

/** For the place of the answer, in every layer. */
function atAnswer(ids: Int32Array, { layers }: Sizes, operationOf: (layer: number) => Patch['operation']): Patch[] {
  const positions = [ids.length - 1];
  return Array.from(
    { length: layers },
    (_, layer): Patch => ({ site: { kind: 'scores', layer }, positions, operation: operationOf(layer) }),
  );
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
