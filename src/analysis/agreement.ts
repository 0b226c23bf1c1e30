/** How far two explanations of the same units say the same. */
import { seededRandom } from '../attribution/seededRandom.ts';
import { spearman } from '../attribution/spearman.ts';
import { rankByScore } from './faithfulness/rankings.ts';

/** Scores of one explanation. */
export interface ComparedScores {
  /** [units] */
  readonly scores: ArrayLike<number>;
  /** Whether scores have a sign; else they are sizes. */
  readonly signed: boolean;
}

export interface Agreement {
  /** Spearman's rank correlation over the units, −1 to 1; 0 where one of them says nothing. */
  readonly correlation: number;
  readonly correlationInterval: readonly [number, number];
  /** Of the units that one or both put among their top `count`, the share that both do (Jaccard), 0 to 1. */
  readonly overlap: number;
  readonly overlapInterval: readonly [number, number];
  /** The overlap of two random rankings on average. */
  readonly chanceOverlap: number;
  readonly count: number;
}

const mostTop = 5;
const draws = 1000;

/**
 * Rank correlation and overlap of the top five units (half of them where there are fewer than ten), each with a 95 % interval:
 * percentiles of a bootstrap over the units. If only one of the two has signs, sizes are compared.
 * @param units indices that are compared, at least two
 */
export function agreement(a: ComparedScores, b: ComparedScores, units: readonly number[], seed: number): Agreement {
  const bySize = a.signed !== b.signed;
  const of = ({ scores }: ComparedScores) => units.map((unit) => (bySize ? Math.abs(scores[unit] ?? 0) : (scores[unit] ?? 0)));
  const [first, second] = [of(a), of(b)];
  const count = Math.min(mostTop, Math.floor(units.length / 2));
  const random = seededRandom(seed);
  const [correlations, overlaps]: [number[], number[]] = [[], []];
  for (let draw = 0; draw < draws; draw++) {
    const drawn = units.map(() => Math.floor(random() * units.length));
    const [x, y] = [first, second].map((scores) => drawn.map((place) => scores[place] as number)) as [number[], number[]];
    correlations.push(spearman(x, y));
    overlaps.push(topOverlap(x, y, count));
  }
  return {
    correlation: spearman(first, second),
    correlationInterval: percentiles(correlations),
    overlap: topOverlap(first, second, count),
    overlapInterval: percentiles(overlaps),
    chanceOverlap: chanceOverlap(units.length, count),
    count,
  };
}

/** |A ∩ B| / |A ∪ B| of the `count` highest of each. */
function topOverlap(a: readonly number[], b: readonly number[], count: number): number {
  const places = [...a.keys()];
  const top = new Set(rankByScore(places, a).slice(0, count));
  const both = rankByScore(places, b)
    .slice(0, count)
    .filter((place) => top.has(place)).length;
  return both / (2 * count - both);
}

/** Two random sets of `count` among `units` share m with the hypergeometric probability C(k, m) C(n − k, k − m) / C(n, k). */
function chanceOverlap(units: number, count: number): number {
  let mean = 0;
  for (let both = 0; both <= count; both++) {
    const ways = (binomial(count, both) * binomial(units - count, count - both)) / binomial(units, count);
    mean += (ways * both) / (2 * count - both);
  }
  return mean;
}

function binomial(n: number, k: number): number {
  let ways = 1;
  for (let step = 1; step <= k; step++) ways = (ways * (n - k + step)) / step;
  return n < k ? 0 : ways;
}

function percentiles(values: number[]): [number, number] {
  values.sort((x, y) => x - y);
  return [values[Math.floor(draws * 0.025)] as number, values[Math.ceil(draws * 0.975) - 1] as number];
}
