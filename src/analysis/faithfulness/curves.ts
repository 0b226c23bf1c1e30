import type { Picture, ValueWithout } from './measure.ts';

/** Points [share of the ranked units, the target's value], shares ascending from 0 to 1. */
export type Curve = [share: number, value: number][];

/** k = round(U·j/10), j = 0…10, each once; halves go to the even neighbour, as in the reference set. */
export function deciles(units: number): number[] {
  return [...new Set(Array.from({ length: 11 }, (_, step) => roundHalfEven((units * step) / 10)))];
}

/** The target while the units that matter most go first. */
export function deletionCurve({ ranking }: Picture, counts: readonly number[], valueWithout: ValueWithout): Curve {
  return counts.map((count) => [count / ranking.length, valueWithout(ranking.slice(0, count))]);
}

/** The target while the units that matter most come first. */
export function insertionCurve({ ranking }: Picture, counts: readonly number[], valueWithout: ValueWithout): Curve {
  return counts.map((count) => [count / ranking.length, valueWithout(ranking.slice(count))]);
}

/** Mean height of a curve, by the trapezoid rule. */
export function areaUnder(curve: Curve): number {
  let area = 0;
  for (let index = 1; index < curve.length; index++) {
    const [[from, left], [to, right]] = [curve[index - 1], curve[index]] as [Curve[number], Curve[number]];
    area += ((to - from) * (left + right)) / 2;
  }
  return area;
}

/** Mean of curves over the same shares. */
export function meanCurve(curves: readonly Curve[]): Curve {
  return (curves[0] ?? []).map(([share], index) => [
    share,
    curves.reduce((sum, curve) => sum + (curve[index]?.[1] ?? 0), 0) / curves.length,
  ]);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
