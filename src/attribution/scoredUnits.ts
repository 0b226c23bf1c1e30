import type { Unit } from '../shared/tokens.ts';

/** Whether a unit belongs to the model or its template and not to the author: it is scored only when asked for. */
export function isHidden(unit: Unit): boolean {
  return unit.kind === 'special' || unit.kind === 'template';
}
