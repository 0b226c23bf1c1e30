/** What the rules `rescale` need of the target: its multipliers by the logits, and its value on the reference input. */
import type { GradientRequest } from '../../model/gradient.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { rescaleSeed } from '../../model/rescaleSeed.ts';
import { type LogitTarget, rowsOf, seedOf } from '../../model/targetSeed.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { forward } from './forward.ts';
import type { RowSeeds } from './gradientSeed.ts';

/** Multipliers of each row of logits, [rows, V]. @throws as `forward` */
export async function rescaleSeeds(
  evaluator: OnnxEvaluator,
  { tokens, embeddings, reference }: GradientRequest,
  target: LogitTarget,
  cancellation: Cancellation,
): Promise<RowSeeds> {
  const rows = rowsOf(target);
  const after = await logitsOf(evaluator, tokens, embeddings, rows, cancellation);
  const before = await logitsOf(evaluator, tokens, reference, rows, cancellation);
  const seeds = rescaleSeed(target, after, before);
  const direct = new Float32Array(rows.length * evaluator.width);
  for (const [index, position] of rows.entries()) direct.set(seeds.get(position) ?? [], index * evaluator.width);
  return { rows, direct, shares: new Float32Array(rows.length) };
}

/** @throws as `forward` */
export async function referenceValue(
  evaluator: OnnxEvaluator,
  { tokens, reference }: GradientRequest,
  target: LogitTarget,
  cancellation: Cancellation,
): Promise<number> {
  return seedOf(target, await logitsOf(evaluator, tokens, reference, rowsOf(target), cancellation)).value;
}

async function logitsOf(
  evaluator: OnnxEvaluator,
  tokens: Int32Array,
  embeddings: Float32Array | undefined,
  rows: readonly number[],
  cancellation: Cancellation,
): Promise<(position: number) => Float32Array> {
  const request = { tokens, logits: rows, ...(embeddings === undefined ? {} : { embeddings }) };
  const { logits } = await forward(evaluator, request, cancellation);
  const { width } = evaluator;
  const values = logits?.values ?? new Float32Array(0);
  return (position) => values.subarray(rows.indexOf(position) * width, (rows.indexOf(position) + 1) * width);
}
