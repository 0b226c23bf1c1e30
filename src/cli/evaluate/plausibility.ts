/** How well a picture agrees with what a person says carried the answer (DeYoung et al. 2020, arXiv 1911.03429, section 4). */
import type { Explanation } from '../../shared/explanation.ts';
import type { EvaluatedCase } from './cases.ts';

type Rationale = NonNullable<EvaluatedCase['rationale']>;

/**
 * `plausibility`: area under the precision–recall curve (average precision) of the scores against the units of the rationale;
 * `random`: what random scores get on average, the share of units in it. Null when it names no unit, or all of them.
 */
export function plausibilityOf({ prompt, units, scores }: Explanation, rationale: Rationale) {
  const ranges = rationale.flatMap((part) => (typeof part === 'string' ? rangesOf(prompt.text, part) : [part]));
  const ranked = units.flatMap((unit, index) => (unit.kind === 'text' || unit.kind === 'sink' ? [index] : []));
  const isMeant = (index: number) =>
    ranges.some(([from, to]) => (units[index]?.start ?? 0) < to && from < (units[index]?.end ?? 0));
  const meant = ranked.filter(isMeant).length;
  if (meant === 0 || meant === ranked.length) return null;
  const order = ranked.toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  let found = 0;
  const value = order.reduce((sum, index, place) => {
    if (!isMeant(index)) return sum;
    found++;
    return sum + found / (place + 1) / meant;
  }, 0);
  const random = meant / ranked.length;
  return { id: 'plausibility', value, random, gain: value - random };
}

function rangesOf(text: string, words: string): [number, number][] {
  const ranges: [number, number][] = [];
  if (words === '') return ranges;
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) ranges.push([at, at + words.length]);
  return ranges;
}
