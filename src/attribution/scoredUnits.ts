import type { Unit } from '../shared/tokens.ts';

/** Whether a unit belongs to the model or its template and not to the author: it is scored only when asked for. */
export function isHidden(unit: Unit): boolean {
  return unit.kind === 'special' || unit.kind === 'template';
}

/** Indices of the units that are not hidden. */
export function shownUnits(units: readonly Unit[]): number[] {
  return units.flatMap((unit, index) => (isHidden(unit) ? [] : [index]));
}

/** A unit gets the sum over its tokens. @param values [tokens] or more; what lies behind the prompt belongs to no unit */
export function sumByUnit(units: readonly Unit[], values: ArrayLike<number>): Float32Array {
  return Float32Array.from(units, (unit) => unit.tokens.reduce((sum, token) => sum + (values[token] ?? 0), 0));
}

/** The same, a hidden unit 0. @param values as in `sumByUnit` */
export function sumByShownUnit(units: readonly Unit[], values: ArrayLike<number>): Float32Array {
  return Float32Array.from(units, (unit) =>
    isHidden(unit) ? 0 : unit.tokens.reduce((sum, token) => sum + (values[token] ?? 0), 0),
  );
}
