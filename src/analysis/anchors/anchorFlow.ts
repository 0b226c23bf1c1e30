/**
 * How information flows through the label words of a few-shot prompt (Wang et al. 2023, arXiv 2305.14160, section 2): the saliency of a
 * look, I[query, key], is attention × gradient over all heads of a layer.
 */
import type { Tensor } from '../../model/model.ts';

/** `sum-of-magnitudes`: Σ_h |A ∂L/∂A|. `magnitude-of-sum`: |Σ_h A ∂L/∂A|. */
export const headSums = ['sum-of-magnitudes', 'magnitude-of-sum'] as const;
export type HeadSum = (typeof headSums)[number];

/** @param weighted A ⊙ ∂L/∂A, [heads, T, T] @returns I, [T, T] */
export function lookSaliency({ shape: [heads = 0, size = 0], data }: Tensor, sum: HeadSum): Float64Array {
  const saliency = new Float64Array(size * size);
  for (let head = 0; head < heads; head++) {
    for (let at = 0; at < saliency.length; at++) {
      const value = data[head * saliency.length + at] as number;
      saliency[at] = (saliency[at] as number) + (sum === 'sum-of-magnitudes' ? Math.abs(value) : value);
    }
  }
  return sum === 'sum-of-magnitudes' ? saliency : saliency.map(Math.abs);
}

/** Mean saliency of three kinds of looks in one layer. */
export interface AnchorFlow {
  /** Text before a label → the label: mean of I[p_k, j], j < p_k. */
  readonly textToLabel: number;
  /** A label → the place of the answer: mean of I[q, p_k]. */
  readonly labelToTarget: number;
  /** All other looks back: mean of the remaining I[i, j], j < i. */
  readonly other: number;
}

/**
 * S_wp, S_pq and S_ww (equations 2 to 4). @param saliency [size, size] @param labels p_1 … p_C, ascending @param target q; later rows do
 * not count
 */
export function anchorFlow(saliency: Float64Array, size: number, labels: readonly number[], target: number): AnchorFlow {
  const isLabel = new Set(labels);
  const sums = { textToLabel: 0, labelToTarget: 0, other: 0 };
  const counts = { textToLabel: 0, labelToTarget: 0, other: 0 };
  for (let query = 0; query <= target; query++) {
    for (let key = 0; key < query; key++) {
      const kind = isLabel.has(query) ? 'textToLabel' : query === target && isLabel.has(key) ? 'labelToTarget' : 'other';
      sums[kind] += saliency[query * size + key] as number;
      counts[kind]++;
    }
  }
  const mean = (kind: keyof AnchorFlow) => (counts[kind] > 0 ? sums[kind] / counts[kind] : 0);
  return { textToLabel: mean('textToLabel'), labelToTarget: mean('labelToTarget'), other: mean('other') };
}

/** Summed saliency by example in one layer: from its text to its label, from its label to the answer, from its text to the answer. */
export interface ExampleFlow {
  readonly textToLabel: number;
  readonly labelToTarget: number;
  readonly textToTarget: number;
}

/** @param text token indices of the example without its label */
export function exampleFlow(
  saliency: Float64Array,
  size: number,
  { label, text }: { readonly label: number; readonly text: readonly number[] },
  target: number,
): ExampleFlow {
  const look = (query: number, key: number) => saliency[query * size + key] as number;
  const sum = (query: number) => text.reduce((total, key) => (key < query ? total + look(query, key) : total), 0);
  return { textToLabel: sum(label), labelToTarget: look(target, label), textToTarget: sum(target) };
}
