/** One result as one JSON object. */
import { numeric } from './errorCatalog.ts';

/**
 * JSON has no NaN and no infinity, and JSON.stringify turns both into null without a word; this refuses instead.
 * Typed arrays become arrays of numbers.
 * @throws E_NUMERIC, naming the field
 */
export function toJson(result: object): string {
  return JSON.stringify(result, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) throw numeric(`"${key}" in the result`);
    if (!(value instanceof Float32Array) && !(value instanceof Float64Array) && !(value instanceof Int32Array)) return value;
    if (!value.every(Number.isFinite)) throw numeric(`a number in "${key}" of the result`);
    return Array.from(value);
  });
}
