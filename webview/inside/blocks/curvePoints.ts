/** Where the points of a curve block lie in its picture. Pure. */
import type { CurveBlock } from '../../../src/shared/inspection/blocks.ts';

export interface CurveFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface CurveRange {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** Both axes from the lowest to the highest finite number; of one number ± 0.5, of none 0…1. */
export function curveRange({ series, diagonal }: Pick<CurveBlock, 'series' | 'diagonal'>): CurveRange {
  const points = series.flatMap((each) => each.points.filter(isFinitePoint));
  const x = extent(points.map(([at]) => at));
  const y = extent(points.map(([, value]) => value));
  if (diagonal !== true) return { x, y };
  const both = extent([...x, ...y]);
  return { x: both, y: both };
}

/** `x,y x,y …` for a polyline; points without a number are left out. */
export function curvePoints(points: CurveBlock['series'][number]['points'], { x, y }: CurveRange, frame: CurveFrame): string {
  return points
    .filter(isFinitePoint)
    .map(([at, value]) => {
      const across = frame.left + ((at - x[0]) / (x[1] - x[0])) * frame.width;
      const down = frame.top + ((y[1] - value) / (y[1] - y[0])) * frame.height;
      return `${across.toFixed(1)},${down.toFixed(1)}`;
    })
    .join(' ');
}

/** What was no number comes out of a message as null. */
export function isFinitePoint([x, y]: readonly [number | null, number | null]): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

function extent(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
