/** How far what a model says of its words agrees with what was measured. */
import { seededRandom } from '../../attribution/seededRandom.ts';
import { spearman } from '../../attribution/spearman.ts';
import { meanInterval } from '../faithfulness/interval.ts';
import { chanceOfOverlap } from '../statistics/hypergeometric.ts';
import type { WordForm } from './statedWords.ts';

const draws = 2000;

export interface Agreement {
  /** Rank correlation over all words of the prompt; words that were not named share the last rank. 95 % bootstrap interval over words. */
  readonly correlation: number;
  readonly correlationInterval: readonly [number, number];
  /** Words that were named. */
  readonly named: number;
  /** Of them, how many are among as many words of largest effect. */
  readonly hits: number;
  readonly overlap: number;
  /** 95 %, bootstrap over the named words. */
  readonly overlapInterval: readonly [number, number];
  /** What naming at random would give on average: named / words. */
  readonly randomOverlap: number;
  /** P(at least as many hits | named at random). */
  readonly chance: number;
  readonly words: number;
}

/** @returns null where no word of the prompt was named, or all were */
export function agreementOf(forms: readonly WordForm[], seed: number): Agreement | null {
  const words = forms.length;
  const named = forms.filter(({ statedRank }) => statedRank !== null).length;
  if (named === 0 || named === words) return null;
  const stated = forms.map(({ statedRank }) => (statedRank === null ? 0 : words - statedRank));
  const measured = forms.map((form) => form.measured);
  const top = new Set(
    [...forms.keys()].sort((a, b) => (measured[b] as number) - (measured[a] as number) || a - b).slice(0, named),
  );
  const hitOf = forms.flatMap(({ statedRank }, index) => (statedRank === null ? [] : [top.has(index) ? 1 : 0]));
  const hits = hitOf.filter((hit) => hit === 1).length;
  return {
    correlation: spearman(stated, measured),
    correlationInterval: correlationInterval(stated, measured, seed),
    named,
    hits,
    overlap: hits / named,
    overlapInterval: meanInterval(hitOf, seed),
    randomOverlap: named / words,
    chance: chanceOfOverlap(words, named, named, hits),
    words,
  };
}

function correlationInterval(a: readonly number[], b: readonly number[], seed: number): [number, number] {
  const random = seededRandom(seed);
  const found = Array.from({ length: draws }, () => {
    const sample = a.map(() => Math.floor(random() * a.length));
    return spearman(
      sample.map((index) => a[index] as number),
      sample.map((index) => b[index] as number),
    );
  }).sort((x, y) => x - y);
  return [found[Math.floor(draws * 0.025)] as number, found[Math.ceil(draws * 0.975) - 1] as number];
}
