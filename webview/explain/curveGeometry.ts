/** Where the points of curves lie in a picture. Pure. */

/** [share 0…1, value] */
export type CurvePoint = readonly [number, number];

export interface CurveFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Lowest and highest finite value; one value gets a band around it, none gets 0…1. */
export function valueRange(curves: readonly (readonly CurvePoint[])[]): readonly [number, number] {
  const values = curves.flat().flatMap(([, value]) => (Number.isFinite(value) ? [value] : []));
  if (values.length === 0) return [0, 1];
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** `x,y x,y …` for a polyline: share 0 at the left, `high` at the top. Points without a number are left out. */
export function polylinePoints(curve: readonly CurvePoint[], [low, high]: readonly [number, number], frame: CurveFrame): string {
  return curve
    .filter(([share, value]) => Number.isFinite(share) && Number.isFinite(value))
    .map(([share, value]) => {
      const x = frame.left + share * frame.width;
      const y = frame.top + ((high - value) / (high - low)) * frame.height;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}

/** The value at a share, on the straight line between its neighbours; the nearest end beyond them, NaN of no points. */
export function valueAt(curve: readonly CurvePoint[], share: number): number {
  const after = curve.findIndex(([at]) => at >= share);
  const [right, left] = [curve[after < 0 ? curve.length - 1 : after], curve[after - 1]];
  if (right === undefined) return Number.NaN;
  if (after < 1 || left === undefined) return right[1];
  return left[1] + ((share - left[0]) / (right[0] - left[0])) * (right[1] - left[1]);
}
