/** Attention sinks: a key that almost every query looks at, whatever it says. Usually the first token. */

/** A key counts as a sink when later queries give it at least this mean weight. */
const sinkMean = 0.2;

/**
 * The key with the largest mean weight over the queries after it; the first key when none stands out.
 * @param values [query, key], probabilities
 */
export function findSink(values: Float32Array, queries: number, keys: number): number {
  let best = 0;
  let bestMean = 0;
  // Sinks stand early; the last quarter has too few later queries for a mean to say anything.
  const last = Math.max(1, Math.floor(keys * 0.75));
  for (let key = 0; key < last; key += 1) {
    let sum = 0;
    for (let query = key + 1; query < queries; query += 1) sum += values[query * keys + key] ?? 0;
    const mean = queries - key - 1 > 0 ? sum / (queries - key - 1) : 0;
    if (mean > bestMean) {
      best = key;
      bestMean = mean;
    }
  }
  return bestMean >= sinkMean ? best : 0;
}

/**
 * Each value's share of its row's total size: what a sink takes of signed values.
 * @param values [query, key], signed, not changed
 */
export function rowShares(values: Float32Array, queries: number, keys: number): Float32Array {
  const shares = values.map(Math.abs);
  for (let query = 0; query < queries; query += 1) {
    const row = shares.subarray(query * keys, (query + 1) * keys);
    const sum = row.reduce((total, share) => total + share, 0);
    if (sum > 0) row.forEach((share, key) => (row[key] = share / sum));
  }
  return shares;
}

/** The matrix with one key at zero and the rest as it is. `values`: [query, key], not changed. */
export function withoutKey(values: Float32Array, queries: number, keys: number, key: number): Float32Array {
  const rest = values.slice();
  for (let query = 0; query < queries; query += 1) rest[query * keys + key] = 0;
  return rest;
}

/**
 * The matrix without one key, each row scaled to sum to 1 again. A row that gave the sink everything stays empty.
 * @param values [query, key], not changed
 */
export function withoutSink(values: Float32Array, queries: number, keys: number, sink: number): Float32Array {
  const rest = values.slice();
  for (let query = 0; query < queries; query += 1) {
    const row = query * keys;
    rest[row + sink] = 0;
    let sum = 0;
    for (let key = 0; key < keys; key += 1) sum += rest[row + key] ?? 0;
    if (!(sum > 1e-6)) {
      rest.fill(0, row, row + keys);
      continue;
    }
    for (let key = 0; key < keys; key += 1) rest[row + key] = (rest[row + key] ?? 0) / sum;
  }
  return rest;
}
