/** What the scores themselves tell before anything is measured. */
import { isHidden } from '../../attribution/scoredUnits.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { Unit } from '../../shared/tokens.ts';

/** Share of all scores, by magnitude, that lies on sinks, template text and control tokens. */
export function hiddenShare(units: readonly Unit[], scores: ArrayLike<number>): number {
  let hidden = 0;
  let all = 0;
  units.forEach((unit, index) => {
    const magnitude = Math.abs(scores[index] ?? 0);
    all += magnitude;
    if (isHidden(unit) || unit.kind === 'sink') hidden += magnitude;
  });
  return all > 0 ? hidden / all : 0;
}

/** Largest minus smallest of these units' scores, as a share of the largest magnitude among them; 0 when all are 0. */
export function spread(ranked: readonly number[], scores: ArrayLike<number>): number {
  const values = ranked.map((unit) => scores[unit] ?? 0);
  const largest = Math.max(...values.map(Math.abs));
  return largest > 0 ? (Math.max(...values) - Math.min(...values)) / largest : 0;
}

/** |gap| as a share of the sum; infinite where the sum should be nothing and is not. */
export function openShare(completeness: Explanation['completeness']): number {
  if (completeness === undefined) return 0;
  return completeness.share ?? (completeness.gap === 0 ? 0 : Number.POSITIVE_INFINITY);
}

/** Mean (geometric) probability of the target's tokens, or null where the target is no probability of tokens. */
export function certainty({ kind, unit, ids }: ResolvedTarget['description'], value: number): number | null {
  if (unit === 'logit' || ids.length === 0 || kind === 'contrast') return null;
  const logprob = unit === 'nat' ? value : Math.log(value);
  return Math.exp(logprob / ids.length);
}
