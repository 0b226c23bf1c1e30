/** Two explanations, unit by unit: where each puts its weight. */
import { commonSubsequence } from './commonSubsequence.ts';
import type { Explanation } from './explanation.ts';
import { hasSign } from './scoreSign.ts';

export type Comparable = Pick<Explanation, 'units' | 'scores' | 'method'>;

export interface Difference {
  /** One per unit of A: its part of A minus its part of B, −2…2; 0 below `leastDifference`, and for units that are no text of the author's. */
  readonly scores: readonly number[];
  /** One per unit of A: its score over the sum of |score| of the author's text, with its sign where `signed`. */
  readonly a: readonly number[];
  /** The same of the unit of B that it was matched with, 0 where that is a sink; null where B has none. */
  readonly b: readonly (number | null)[];
  /** Units of the author's text that only B has; one that is a sink in A is in both. */
  readonly onlyInB: readonly { readonly label: string; readonly part: number }[];
  /** False: one of the two tells sizes only, so sizes are compared. */
  readonly signed: boolean;
}

/** A difference between two that have names: methods, models, before and after. */
export interface Comparison extends Difference {
  readonly nameA: string;
  readonly nameB: string;
}

/** A thousandth of the weight: two runtimes, or two orders of the same sums, differ by less, and colours are scaled to what differs. */
const leastDifference = 0.001;

/**
 * A minus B, each scaled to a sum of magnitudes of one, so that methods and models with other units can be compared. Units are matched
 * by their text, in order (longest common subsequence), so that the prompts may differ by an edit. Both at one granularity.
 */
export function differenceOf(a: Comparable, b: Comparable): Difference {
  const signed = hasSign(a.method) && hasSign(b.method);
  const [ofA, ofB] = [parts(a, signed), parts(b, signed)];
  const pairs = commonSubsequence(
    ofA.map(({ label }) => label),
    ofB.map(({ label }) => label),
  );
  const partner = new Map(pairs.map(([left, right]) => [ofA[left]?.unit, ofB[right]?.part ?? 0]));
  const matched = new Set(pairs.map(([, right]) => right));
  const own = new Map(ofA.map(({ unit, part }) => [unit, part]));
  const isText = (unit: number) => a.units[unit]?.kind === 'text';
  const inA = a.units.map((_, unit) => own.get(unit) ?? 0);
  const inB = a.units.map((_, unit) => partner.get(unit) ?? null);
  return {
    scores: inA.map((part, unit) => {
      const difference = part - (inB[unit] ?? 0);
      return isText(unit) && Math.abs(difference) >= leastDifference ? difference : 0;
    }),
    a: inA,
    b: inB,
    onlyInB: ofB.flatMap(({ unit, label, part }, at) =>
      matched.has(at) || b.units[unit]?.kind !== 'text' ? [] : [{ label, part }],
    ),
    signed,
  };
}

interface Part {
  readonly unit: number;
  readonly label: string;
  readonly part: number;
}

function parts({ units, scores }: Comparable, signed: boolean): Part[] {
  const finite = (unit: number) => {
    const score = scores[unit] ?? 0;
    if (!Number.isFinite(score)) return 0;
    return signed ? score : Math.abs(score);
  };
  const shown = units.flatMap(({ kind, label }, unit) => {
    if (kind === 'text') return [{ unit, label, part: finite(unit) }];
    // The author's too, but its score says nothing of the text: it has a place and no part.
    return kind === 'sink' ? [{ unit, label, part: 0 }] : [];
  });
  const total = shown.reduce((sum, { part }) => sum + Math.abs(part), 0);
  return shown.map((each) => ({ ...each, part: total > 0 ? each.part / total : 0 }));
}
