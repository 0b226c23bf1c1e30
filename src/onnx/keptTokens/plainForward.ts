/** A forward pass that nothing inside is asked of, on the file's own graph: to the bit what its variants are compared with. */
import type { ForwardRequest, ForwardResult } from '../../model/model.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { checkReads, checkTokens, resolvePositions } from '../../model/runtime/checkRequest.ts';
import { allFinite, summariseRow } from '../../model/runtime/rowSummary.ts';
import type { OnnxEvaluator } from '../evaluation/evaluator.ts';
import { forward } from '../evaluation/forward.ts';
import type { KeyValueReader } from './keyValueReader.ts';
import { wantedRows } from './sharedVariants.ts';

export function isPlain({ embeddings, capture = [], patches = [] }: ForwardRequest): boolean {
  return embeddings === undefined && capture.length === 0 && patches.length === 0;
}

/** @param request a plain one. @throws as `forward` */
export async function plainForward(
  evaluator: OnnxEvaluator,
  reader: KeyValueReader,
  request: ForwardRequest,
  cancellation: Cancellation,
): Promise<ForwardResult> {
  const { info, width } = evaluator;
  const { tokens, read: reads = [] } = request;
  checkTokens(tokens, info);
  checkReads(reads, tokens.length, info);
  const positions = request.logits === undefined ? [] : resolvePositions(request.logits, tokens.length);
  cancellation.check();
  const asked = [...positions, ...reads.map(({ position }) => position)];
  const wanted = wantedRows(asked.length === 0 ? [tokens.length - 1] : asked);
  const { rows } = await reader.run({ tokens, before: null, rows: wanted, keep: false });
  // Which tensor is to blame can only be seen in the graph that was opened up.
  if (!rows.every(allFinite)) return await forward(evaluator, request, cancellation);
  const rowAt = new Map(wanted.map((position, place) => [position, rows[place] as Float32Array]));
  const row = (position: number) => rowAt.get(position) as Float32Array;
  const values = new Float32Array(positions.length * width);
  for (const [index, position] of positions.entries()) values.set(row(position), index * width);
  return {
    logits: request.logits === undefined ? null : { positions, values },
    read: reads.map((each) => summariseRow(row(each.position), each)),
    captured: new Map(),
    nonFinite: null,
  };
}
