/** `Model.unembed` for any runtime that can turn a few vectors into logits: checks, streaming, what rows are compared with. */
import { numeric, patchShape, tokenRange } from '../../shared/errorCatalog.ts';
import type { ModelInfo, UnembedRead, UnembedRequest, UnembedResult } from '../model.ts';
import type { Cancellation } from './cancellation.ts';
import { checkToken } from './checkRequest.ts';
import { readVector, type ReferenceRow } from './readVector.ts';
import { allFinite } from './rowSummary.ts';

/** Floats of logits that are computed together, and rows at the most: more make the product no faster. */
const held = { logits: 4 * 1024 * 1024, rows: 64 } as const;

/** @param rows [count, D], a view @returns [count, V], read before the next call */
export type LogitsOf = (rows: Float32Array, count: number) => Float32Array | Promise<Float32Array>;

/**
 * One result a row, in order. At most 64 rows of logits are held at once, beside those that later rows refer to.
 * @throws E_PATCH_SHAPE, E_TOKEN_RANGE, E_NUMERIC, E_CANCELLED, and as `logitsOf`
 */
export async function unembedRows(
  { hidden, vocabulary }: Pick<ModelInfo, 'hidden' | 'vocabulary'>,
  { rows, read }: UnembedRequest,
  cancellation: Cancellation,
  logitsOf: LogitsOf,
): Promise<UnembedResult[]> {
  if (rows.length !== read.length * hidden) throw patchShape('the rows to unembed', read.length * hidden, rows.length);
  for (const [row, each] of read.entries()) checkRead(each, row, vocabulary);
  if (!allFinite(rows)) throw numeric('the rows to unembed');
  cancellation.check();
  const lastUse = lastUses(read);
  const kept = new Map<number, ReferenceRow>();
  const results: UnembedResult[] = [];
  const most = Math.max(1, Math.min(held.rows, Math.floor(held.logits / vocabulary)));
  for (let first = 0; first < read.length; first += most) {
    const count = Math.min(most, read.length - first);
    const logits = await logitsOf(rows.subarray(first * hidden, (first + count) * hidden), count);
    read.slice(first, first + count).forEach((asked, index) => {
      const row = first + index;
      const { reference, minus } = asked;
      const own = without(logits.subarray(index * vocabulary, (index + 1) * vocabulary), kept.get(minus ?? -1));
      if (!allFinite(own)) throw numeric('logits');
      results.push(readVector(own, asked, kept.get(reference ?? -1)));
      if (lastUse.has(row)) kept.set(row, { logits: own.slice() });
      for (const used of [reference, minus]) if (used !== undefined && lastUse.get(used) === row) kept.delete(used);
    });
    await cancellation.breathe();
  }
  return results;
}

function checkRead({ ids = [], reference, minus }: UnembedRead, row: number, vocabulary: number): void {
  for (const id of ids) checkToken(id, { vocabulary });
  for (const other of [reference, minus]) {
    if (other === undefined || (Number.isInteger(other) && other >= 0 && other < row)) continue;
    throw tokenRange(`row ${row} refers to row ${other}`, 'a row can refer to the rows before it');
  }
}

/** Row that is referred to → the last row that does. */
function lastUses(read: readonly UnembedRead[]): Map<number, number> {
  const uses = new Map<number, number>();
  read.forEach(({ reference, minus }, row) => {
    for (const used of [reference, minus]) if (used !== undefined) uses.set(used, row);
  });
  return uses;
}

function without(row: Float32Array, taken: ReferenceRow | undefined): Float32Array {
  return taken === undefined ? row : row.map((value, index) => value - (taken.logits[index] as number));
}
