import { attentionFrom } from '../../attribution/flow/attention.ts';
import { capturedPattern } from '../../attribution/flow/capturedPattern.ts';
import type { CaptureRequest, Model, RowResult } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { logprobOf } from './readings.ts';

/** What one forward pass over the prompt tells before anything is attributed. */
export interface PromptPass {
  /** Nats given the tokens before, one per token; null for the first. */
  readonly logprobs: readonly (number | null)[];
  /** The row that predicts the token after the prompt; holds the logits of the asked ids. */
  readonly lastRow: RowResult;
  /** The asked ids, in the order of `lastRow.logits`. */
  readonly wanted: readonly number[];
  /** The most likely next token. */
  readonly next: number;
  /** [T] attention of the last token in the last layer, mean over heads; null when the model shows none. */
  readonly attention: Float64Array | null;
  /** Mean attention that later tokens pay to the first one, four fifths up the model, where sinks are strongest; a share. */
  readonly firstTokenAttention: number;
}

/**
 * @param wanted ids whose logits after the prompt are needed
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function runPromptPass(
  model: Model,
  ids: Int32Array,
  wanted: readonly number[],
  signal: AbortSignal,
): Promise<PromptPass> {
  const { layers, can, task } = model.info;
  const lastLayer = layers - 1;
  const sinkLayer = Math.floor(0.8 * lastLayer);
  const capture = can.capture ? [...new Set([sinkLayer, lastLayer])].map(headMean) : [];
  // Only a language model predicts the prompt's own tokens.
  const before = Array.from(ids.subarray(1), (id, position) => ({ position, ids: [id] }));
  const last = { position: ids.length - 1, ids: wanted, top: 5 };
  const result = await model.forward(
    {
      tokens: ids,
      read: task === undefined ? [...before, last] : [last],
      capture,
    },
    { signal },
  );
  if (result.nonFinite !== null) throw numeric(result.nonFinite);
  const lastRow = result.read.at(-1);
  const next = lastRow?.top[0]?.id;
  if (lastRow === undefined || next === undefined || !Number.isFinite(lastRow.logSumExp)) throw numeric('logits');
  const logprobs = Array.from(ids, (_id, index) => {
    const row = task === undefined ? result.read[index - 1] : undefined;
    return row === undefined ? null : logprobOf(row);
  });
  if (!logprobs.every((logprob) => logprob === null || Number.isFinite(logprob))) throw numeric('logits');
  return {
    logprobs,
    lastRow,
    wanted,
    next,
    attention: can.capture ? attentionOfLastRow(capturedPattern(result, lastLayer), ids.length) : null,
    firstTokenAttention: can.capture ? attentionToFirst(capturedPattern(result, sinkLayer), ids.length) : 0,
  };
}

function headMean(layer: number): CaptureRequest {
  return { site: { kind: 'pattern', layer }, reduce: { kind: 'head-mean' } };
}

function attentionOfLastRow(pattern: Float32Array, size: number): Float64Array {
  const weights = new Float64Array(size);
  weights[size - 1] = 1;
  return attentionFrom(weights, pattern);
}

/** Mean of the first column of `pattern` [query, key] over all later queries. */
function attentionToFirst(pattern: Float32Array, size: number): number {
  let sum = 0;
  for (let query = 1; query < size; query++) sum += pattern[query * size] as number;
  return size > 1 ? sum / (size - 1) : 0;
}
