import { measureUnknown } from '../../shared/evaluationErrors.ts';
import type { Measure } from './measure.ts';
import { measures } from './measures.ts';
import { stability } from './measures/stability.ts';

/** Ids of the full set, in its order. */
const measureIds: readonly string[] = [...measures.map(({ id }) => id), stability.id];

/**
 * The measures with these ids, in the order of the full set; without ids all of it.
 * @throws E_MEASURE_UNKNOWN
 */
export function chosenMeasures(ids: readonly string[] = measureIds): {
  readonly measures: readonly Measure[];
  readonly withStability: boolean;
} {
  const stranger = ids.find((id) => !measureIds.includes(id));
  if (stranger !== undefined) throw measureUnknown(stranger, measureIds);
  return { measures: measures.filter(({ id }) => ids.includes(id)), withStability: ids.includes(stability.id) };
}
