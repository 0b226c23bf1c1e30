/** Variants of a prompt on a file that takes keys and values: what neighbours begin with is computed once. */
import type { VariantResult, VariantsRequest } from '../../model/model.ts';
import { prefixOrder, sharedLength } from '../../model/prefixOrder.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { checkReads, checkTokens } from '../../model/runtime/checkRequest.ts';
import { allFinite, summariseRow } from '../../model/runtime/rowSummary.ts';
import type { OnnxEvaluator } from '../evaluation/evaluator.ts';
import type { KeyValueReader } from './keyValueReader.ts';
import { keptBeginning, type KeptTokens } from './keyValueRun.ts';

type Variant = VariantsRequest['variants'][number];

/** The sequence that was read last, and the keys and values of all or the first of its tokens: all that is kept, and for this request only. */
interface Read {
  readonly tokens: Int32Array;
  readonly kept: KeptTokens;
}

/**
 * Walks through the variants in `prefixOrder`. It begins with nothing, so that the result depends on the request alone.
 * @param variants without patches
 * @throws as `forward`
 */
export async function sharedVariants(
  { info }: OnnxEvaluator,
  reader: KeyValueReader,
  variants: readonly Variant[],
  cancellation: Cancellation,
  onResult: (index: number, result: VariantResult) => void,
): Promise<VariantResult[]> {
  for (const { tokens, read } of variants) {
    checkTokens(tokens, info);
    checkReads(read, tokens.length, info);
  }
  cancellation.check();
  const results = new Array<VariantResult>(variants.length);
  const order = prefixOrder(variants.map(({ tokens }) => tokens));
  let last: Read | null = null;
  for (const [place, index] of order.entries()) {
    const variant = variants[index] as Variant;
    const read = await readBehind(reader, variant, last, variants[order[place + 1] ?? -1] ?? null);
    last = read.last;
    results[index] = read.result;
    onResult(index, read.result);
    await cancellation.breathe();
  }
  return results;
}

async function readBehind(
  reader: KeyValueReader,
  { tokens, read }: Variant,
  last: Read | null,
  next: Variant | null,
): Promise<{ readonly result: VariantResult; readonly last: Read | null }> {
  const split = last === null ? 0 : Math.min(last.kept.length, splitPoint(last.tokens, { tokens, read }));
  const before = last === null || split === 0 ? null : keptBeginning(last.kept, split);
  // What the next one takes of this is mostly what this one took itself: then nothing is handed out and copied again.
  const shares = next === null ? 0 : splitPoint(tokens, next);
  const keep = shares > split;
  const wanted = wantedRows(read.length === 0 ? [tokens.length - 1] : read.map(({ position }) => position));
  const { rows, kept } = await reader.run({
    tokens: tokens.subarray(split),
    before,
    rows: wanted.map((position) => position - split),
    keep,
  });
  const summaries = read.map((each) => summariseRow(rows[wanted.indexOf(each.position)] as Float32Array, each));
  // What is no number would spoil whatever is read next to it.
  const known = rows.every(allFinite) && shares > 0 ? (kept ?? before) : null;
  return { result: { read: summaries }, last: known === null ? null : { tokens, kept: known } };
}

/** Positions, each once, ascending. */
export function wantedRows(positions: readonly number[]): number[] {
  return [...new Set(positions)].sort((a, b) => a - b);
}

/**
 * How many tokens of a variant are taken from those that were read last: not beyond the first row that is asked for, and such that two
 * tokens are left, since one alone is multiplied by another kernel, which rounds otherwise.
 */
export function splitPoint(last: Int32Array, { tokens, read }: Pick<Variant, 'tokens' | 'read'>): number {
  const firstRead = Math.min(tokens.length - 1, ...read.map(({ position }) => position));
  return Math.max(0, Math.min(sharedLength(tokens, last), firstRead, tokens.length - 2));
}
