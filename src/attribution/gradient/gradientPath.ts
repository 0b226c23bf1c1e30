/** The way from a baseline to a prompt on which gradients are integrated: one straight leg or several. */
import type { AttributionInput } from '../method.ts';
import { isHidden } from '../scoredUnits.ts';
import type { EmbeddingPath } from './embeddingPath.ts';

/** A straight line between two inputs, made when it is walked: many of them would not fit into memory together. */
export interface Leg {
  /** [T, D] */
  from(): Float32Array;
  /** [T, D] */
  to(): Float32Array;
}

export interface GradientPath {
  readonly legs: readonly Leg[];
  /** What the scores should add up to: the sum of f(to) − f(from) over these. */
  readonly ends: readonly Leg[];
  /** Which part of the asked steps one leg gets. */
  readonly share: number;
  /** Forward passes that finding the path cost. */
  readonly forwardPasses: number;
}

/** All tokens move together, in a straight line. */
export function straightPath({ from, to }: EmbeddingPath): GradientPath {
  const whole: Leg = { from: () => from.data, to: () => to.data };
  return { legs: [whole], ends: [whole], share: 1, forwardPasses: 0 };
}

/**
 * Sequential integrated gradients (Enguehard 2023, arXiv 2305.15853, equation 2): one token moves at a time, from the baseline to its
 * own embedding, while all others stay as they are in the prompt. Tokens of hidden units stay and score 0.
 */
export function sequentialPath({ units }: Pick<AttributionInput, 'units'>, { from, to }: EmbeddingPath): GradientPath {
  const [length = 1] = to.shape;
  const width = to.data.length / length;
  const moving = new Set(units.flatMap((unit) => (isHidden(unit) ? [] : unit.tokens)));
  const legs = [...moving].map(
    (token): Leg => ({
      from: () => {
        const start = to.data.slice();
        start.set(from.data.subarray(token * width, (token + 1) * width), token * width);
        return start;
      },
      to: () => to.data,
    }),
  );
  return { legs, ends: legs, share: 1, forwardPasses: 0 };
}
