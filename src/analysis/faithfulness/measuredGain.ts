import type { Faithfulness } from '../../shared/explanation.ts';
import { gainInterval, meanOf } from './interval.ts';
import type { Measure } from './measure.ts';

export type MeasuredGain = NonNullable<Faithfulness['measures']>[number];

/** A measure's number beside those of random pictures. @param values the picture's own first, then at least one random one's */
export function measuredGain(
  { id, better }: Pick<Measure, 'id' | 'better'>,
  values: readonly number[],
  seed: number,
): MeasuredGain {
  const [value, ...others] = values as [number, ...number[]];
  const random = meanOf(others);
  const [low, high] = gainInterval(value, others, seed);
  return better === 'higher'
    ? { id, value, random, gain: value - random, interval: [low, high] }
    : { id, value, random, gain: random - value, interval: [-high, -low] };
}
