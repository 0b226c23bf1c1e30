/** What the numbers of a head are: weights, or signed effects on the explained answer. */
import type { WeightedBy } from '../../src/shared/protocol/panel.ts';
import { formatNumber, formatSignificant } from '../ui/formatNumber.ts';
import type { Strings } from '../ui/strings.ts';

export type ValueScale =
  /** Attention, 0…1. */
  | { readonly kind: 'weight' }
  /** Attention × gradient, −`maximum`…+`maximum`, in the target's unit. */
  | { readonly kind: 'signed'; readonly maximum: number; readonly weightedBy: WeightedBy };

export const weightScale: ValueScale = { kind: 'weight' };

/** The scale that shows all of `values`; weights have a fixed one. */
export function scaleOf(values: Float32Array, weightedBy: WeightedBy | null): ValueScale {
  return weightedBy === null ? weightScale : { kind: 'signed', maximum: Math.abs(extremeOf(values)), weightedBy };
}

/** The value of largest magnitude, with its sign; 0 when there is none. */
export function extremeOf(values: Float32Array): number {
  let extreme = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  return extreme;
}

/** `0.420`, or `+0.0124 nats`. */
export function formatValue(value: number, scale: ValueScale, text: Strings): string {
  if (scale.kind === 'weight') return formatNumber(value, 3);
  return text.scoreIs(formatSignedValue(value), unitText(scale.weightedBy, text));
}

/** A signed value without its unit. */
export function formatSignedValue(value: number): string {
  const number = formatSignificant(value);
  return value > 0 ? `+${number}` : number;
}

export function unitText({ unit }: WeightedBy, text: Strings): string {
  return unit in text.unit ? text.unit[unit as keyof Strings['unit']] : unit;
}
