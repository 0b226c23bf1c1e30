/** Scores as the panel shows them: tint, rank and share of every unit. */
import { type PaletteStep, paletteStep } from '../../src/shared/colourScale.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import type { UnitKind } from '../../src/shared/tokens.ts';

export interface UnitSummary {
  readonly index: number;
  readonly label: string;
  readonly kind: UnitKind;
  /** In the target's unit, signed. */
  readonly score: number;
  /** 0 = unmarked. Hidden units stay unmarked. */
  readonly step: PaletteStep;
  /** 1 = largest |score| among the units that are shown; equal scores share a rank. Null for a hidden unit. */
  readonly rank: number | null;
  /** |score| over the sum of |score| of the units that are shown, 0…1. */
  readonly share: number;
}

export interface ScoreSummary {
  readonly units: readonly UnitSummary[];
  /** Units that are shown, largest |score| first. */
  readonly ranked: readonly UnitSummary[];
  /** The |score| from which on a unit gets the strongest tint, in the target's unit. */
  readonly maximum: number;
}

/**
 * Special, template and sink units count only when they are shown. `intensity` 1: the largest score gets the strongest tint; 2: half
 * the largest does.
 */
export function summariseScores(
  explanation: Pick<Explanation, 'units' | 'scores'>,
  showHidden: boolean,
  intensity = 1,
): ScoreSummary {
  const shown = explanation.units.map((unit) => showHidden || unit.kind === 'text');
  const magnitudes = explanation.units.map((_, index) => magnitudeOf(explanation.scores[index]));
  let largest = 0;
  let total = 0;
  magnitudes.forEach((magnitude, index) => {
    if (!shown[index]) return;
    largest = Math.max(largest, magnitude);
    total += magnitude;
  });
  const maximum = largest / intensity;
  const order = explanation.units.map((_, index) => index).filter((index) => shown[index]);
  order.sort((a, b) => (magnitudes[b] ?? 0) - (magnitudes[a] ?? 0) || a - b);
  const ranks = new Map<number, number>();
  order.forEach((index, position) => {
    const before = order[position - 1];
    const tied = before !== undefined && magnitudes[before] === magnitudes[index];
    ranks.set(index, tied ? (ranks.get(before) ?? position + 1) : position + 1);
  });
  const units = explanation.units.map((unit, index): UnitSummary => {
    const score = explanation.scores[index] ?? Number.NaN;
    return {
      index,
      label: unit.label,
      kind: unit.kind,
      score,
      step: shown[index] ? paletteStep(score, maximum) : 0,
      rank: ranks.get(index) ?? null,
      share: total > 0 ? (magnitudes[index] ?? 0) / total : 0,
    };
  });
  return { units, ranked: order.flatMap((index) => units[index] ?? []), maximum };
}

function magnitudeOf(score: number | undefined): number {
  return score !== undefined && Number.isFinite(score) ? Math.abs(score) : 0;
}
