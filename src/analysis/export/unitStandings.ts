import { type PaletteStep, paletteStep } from '../../shared/colourScale.ts';
import type { Explanation } from '../../shared/explanation.ts';

/** What a reader wants to know of one unit beside its score. */
export interface UnitStanding {
  readonly index: number;
  readonly score: number;
  /** Share of the magnitudes of all units of the author’s own text; 0 for the others. */
  readonly share: number;
  /** 1 = the largest magnitude among the author's own units; null for control tokens, template text and sinks. */
  readonly rank: number | null;
  readonly step: PaletteStep;
}

/** One per unit, in the order of the units. Control tokens, template text and sinks are not ranked and not drawn. */
export function unitStandings({ units, scores }: Explanation): UnitStanding[] {
  const magnitudes = units.map((unit, index) => (unit.kind === 'text' ? Math.abs(scores[index] ?? 0) : 0));
  const sum = magnitudes.reduce((total, magnitude) => total + magnitude, 0);
  const maximum = Math.max(0, ...magnitudes);
  const ranks = new Map<number, number>();
  units
    .flatMap((unit, index) => (unit.kind === 'text' ? [index] : []))
    .sort((a, b) => (magnitudes[b] ?? 0) - (magnitudes[a] ?? 0) || a - b)
    .forEach((index, place) => {
      ranks.set(index, place + 1);
    });
  return units.map((unit, index) => {
    const score = scores[index] ?? 0;
    return {
      index,
      score,
      share: sum > 0 ? (magnitudes[index] ?? 0) / sum : 0,
      rank: ranks.get(index) ?? null,
      step: unit.kind === 'text' ? paletteStep(score, maximum) : 0,
    };
  });
}

/** A signed number that reads well: four significant digits, a real minus, a plus where it raises. */
export function signedNumber(value: number): string {
  const digits = Math.abs(value).toPrecision(4);
  return `${value < 0 ? '−' : '+'}${digits.includes('e') ? digits : String(Number(digits))}`;
}

/** What the scores are in. */
export function scoreUnitName({ scoreUnit, target }: Pick<Explanation, 'scoreUnit' | 'target'>): string {
  return scoreUnit ?? unitName(target.unit);
}

export function unitName(unit: Explanation['target']['unit']): string {
  return { logit: 'logits', nat: 'nats', probability: 'probability', cosine: 'cosine' }[unit];
}
