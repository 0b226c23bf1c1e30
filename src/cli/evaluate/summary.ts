/** Means over cases, with intervals. */
import { meanInterval } from '../../analysis/faithfulness/interval.ts';
import type { Result } from './resultFile.ts';

export interface MeasureSummary {
  readonly id: string;
  /** Mean gain over random rankings, and its 95 % bootstrap interval over cases; null of one case, which says nothing of others. */
  readonly gain: number;
  readonly interval: readonly [number, number] | null;
  readonly value: number;
  readonly random: number;
  /** Cases in which the method is better than random, of how many. */
  readonly better: number;
  readonly cases: number;
}

export interface MethodSummary {
  readonly method: string;
  readonly measures: readonly MeasureSummary[];
  readonly trusted: number;
  readonly cases: number;
  /** Means over cases; the check is not counted. */
  readonly forwardPasses: number;
  readonly milliseconds: number;
}

/** @param results of all cases, in their order @param methods in the order of the table */
export function summarise(results: readonly Result[], methods: readonly string[], seed: number): MethodSummary[] {
  return methods.map((method) => {
    const own = results.filter((result) => result.method === method);
    const ids = [...new Set(own.flatMap(({ measures }) => measures.map(({ id }) => id)))];
    return {
      method,
      measures: ids.map((id) => measureSummary(id, own, seed)),
      trusted: own.filter(({ verdict }) => verdict === 'trusted').length,
      cases: own.length,
      forwardPasses: mean(own.map(({ forwardPasses }) => forwardPasses)),
      milliseconds: mean(own.map(({ milliseconds }) => milliseconds)),
    };
  });
}

function measureSummary(id: string, results: readonly Result[], seed: number): MeasureSummary {
  const found = results.flatMap(({ measures }) => measures.filter((measure) => measure.id === id));
  const gains = found.map(({ gain }) => gain);
  return {
    id,
    gain: mean(gains),
    interval: gains.length < 2 ? null : meanInterval(gains, seed),
    value: mean(found.map(({ value }) => value)),
    random: mean(found.map(({ random }) => random)),
    better: gains.filter((gain) => gain > 0).length,
    cases: found.length,
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
