/** From a heat block's values to strengths of colour. Pure. */
import type { HeatBlock } from '../../../src/shared/inspection/blocks.ts';

export interface HeatScale {
  readonly kind: HeatBlock['scale'];
  /** Ends, in the block's unit. */
  readonly low: number;
  readonly high: number;
}

export function heatScale({ values, scale, range }: Pick<HeatBlock, 'values' | 'scale' | 'range'>): HeatScale {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (least > most) [least, most] = [0, 0];
  if (range !== undefined) [least, most] = range;
  if (scale === 'signed') {
    const size = Math.max(Math.abs(least), Math.abs(most));
    return { kind: scale, low: -size, high: size };
  }
  return { kind: scale, low: range?.[0] ?? Math.min(0, least), high: most };
}

/** −1…1 for signed values, 0…1 for sizes; NaN where there is no cell. */
export function heatStrength(value: number, { kind, low, high }: HeatScale): number {
  if (Number.isNaN(value)) return Number.NaN;
  if (kind === 'signed') return high === 0 ? 0 : Math.max(-1, Math.min(1, value / high));
  return high === low ? 0 : Math.max(0, Math.min(1, (value - low) / (high - low)));
}
