import type { RowRead, RowResult, VariantResult } from '../model/model.ts';
import { prefixOrder } from '../model/prefixOrder.ts';
import { readRow } from './readRow.ts';
import type { ServerConnection } from './serverProtocol.ts';

interface Variant {
  readonly tokens: Int32Array;
  readonly read: readonly RowRead[];
}

/**
 * Reads rows of several sequences, each up to its own position, in the order in which neighbours begin alike: the server keeps the
 * beginning it has just read. Rows that ask the same of the same tokens are read once.
 * @throws as `readRow`
 */
export async function readVariants(
  server: ServerConnection,
  variants: readonly Variant[],
  signal: AbortSignal,
  onResult: (index: number, result: VariantResult) => void = () => undefined,
): Promise<VariantResult[]> {
  const rows = variants.flatMap(({ tokens, read }, variant) =>
    read.map((each, place) => ({ variant, place, each, prefix: tokens.subarray(0, each.position + 1) })),
  );
  const results = variants.map(({ read }) => ({ left: read.length, read: new Array<RowResult>(read.length) }));
  const known = new Map<string, RowResult>();
  for (const [index, { left }] of results.entries()) if (left === 0) onResult(index, { read: [] });
  for (const index of prefixOrder(rows.map(({ prefix }) => prefix))) {
    const { variant, place, each, prefix } = rows[index] as (typeof rows)[number];
    const { ids, top, entropy } = each;
    const isPlain = each.reference === undefined && each.weights === undefined;
    const key = isPlain ? JSON.stringify([ids, top, entropy, Array.from(prefix)]) : null;
    const row = (key === null ? undefined : known.get(key)) ?? (await readRow(server, prefix, each, signal));
    if (key !== null) known.set(key, row);
    const result = results[variant] as (typeof results)[number];
    result.read[place] = structuredClone(row);
    if (--result.left === 0) onResult(variant, { read: result.read });
  }
  return results.map(({ read }) => ({ read }));
}
