/**
 * What an edit should do to the margin, to first order (HotFlip, Ebrahimi et al. 2018, arXiv 1712.06751): with g the gradient of the
 * margin by the input embeddings, putting token w in the place of t changes it by (e_w − e_t) · g_t, and taking t away by −e_t · g_t.
 */
import type { Model, Tensor } from '../../model/model.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import type { GradientTarget } from '../../model/gradient.ts';
import { embeddingsAlone } from './embeddingsAlone.ts';
import type { WordCore } from './wordEdits.ts';

const embed = { kind: 'embed' } as const;

export interface EmbeddingGradient {
  /** e_t · g_t of each token of the prompt, logits. */
  readonly contributions: Float64Array;
  /** [T, D] */
  readonly gradient: Tensor;
  readonly forwardPasses: number;
}

/** @throws as `Model.gradient`; E_NUMERIC */
export async function embeddingGradient(
  model: Model,
  tokens: Int32Array,
  target: GradientTarget,
  signal: AbortSignal,
): Promise<EmbeddingGradient> {
  const result = await model.gradient({ tokens, targets: [target], at: [embed], capture: [embed] }, { signal });
  const gradient = result.targets[0]?.gradients.get('embed');
  const value = result.captured.get('embed');
  if (gradient === undefined || value === undefined) throw siteUnknown('embed', 'the model did not give it', []);
  const width = model.info.hidden;
  const contributions = Float64Array.from({ length: tokens.length }, (_, row) =>
    product(value.data, row, gradient.data, row, width),
  );
  if (!contributions.every(Number.isFinite)) throw numeric('the gradient at embed');
  return { contributions, gradient, forwardPasses: 3 };
}

/**
 * Embeddings of tokens, each less that of the first one: of the tokens as a text, and of the first one repeated, so that embeddings of
 * positions cancel. @returns by token id: [D] @throws as `embeddingsAlone`
 */
export async function relativeEmbeddings(
  model: Model,
  ids: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Float64Array>> {
  const of = new Map<number, Float64Array>();
  const [reference = 0] = ids;
  const { hidden, contextLength } = model.info;
  for (let from = 0; from < ids.length; from += contextLength) {
    const part = ids.slice(from, from + contextLength);
    const [own, repeated] = [
      await embeddingsAlone(model, Int32Array.from(part), signal),
      await embeddingsAlone(model, new Int32Array(part.length).fill(reference), signal),
    ];
    part.forEach((id, row) => {
      const difference = Float64Array.from(
        { length: hidden },
        (_, at) => (own[row * hidden + at] as number) - (repeated[row * hidden + at] as number),
      );
      of.set(id, difference);
    });
  }
  return of;
}

/** By how much the margin should fall when `substitute` takes the place of the word's tokens. Logits. */
export function predictedFall(
  { contributions, gradient }: EmbeddingGradient,
  { tokens }: WordCore,
  ids: Int32Array,
  substitute: number,
  embeddingOf: ReadonlyMap<number, Float64Array>,
): number {
  const [first = 0, ...others] = tokens;
  const [now, then] = [embeddingOf.get(ids[first] as number), embeddingOf.get(substitute)];
  if (now === undefined || then === undefined) return 0;
  const width = now.length;
  let change = 0;
  for (let at = 0; at < width; at++) {
    change += ((then[at] as number) - (now[at] as number)) * (gradient.data[first * width + at] as number);
  }
  return others.reduce((fall, token) => fall + (contributions[token] as number), -change);
}

function product(a: Float32Array, rowA: number, b: Float32Array, rowB: number, width: number): number {
  let sum = 0;
  for (let at = 0; at < width; at++) sum += (a[rowA * width + at] as number) * (b[rowB * width + at] as number);
  return sum;
}
