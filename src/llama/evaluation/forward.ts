/** One forward pass: tokens in, logits, summaries and captured sites out. */
import type { ForwardRequest, ForwardResult, ModelInfo, RowRead } from '../../model/model.ts';
import type { Cancellation } from './cancellation.ts';
import { checkReads, checkTokens, resolvePositions } from './checkRequest.ts';
import type { LlamaContext } from './context.ts';
import type { ContextPool } from './contextPool.ts';
import type { PrefixReuse } from './variants.ts';
import { allFinite, summariseRow } from './rowSummary.ts';

export interface Evaluator {
  readonly info: ModelInfo;
  readonly contexts: ContextPool;
  prefixReuse: PrefixReuse;
}

/** @throws E_TOKEN_RANGE, E_CONTEXT_OVERFLOW, E_CANCELLED, E_OUT_OF_MEMORY */
export function forward({ info, contexts }: Evaluator, request: ForwardRequest, cancellation: Cancellation): ForwardResult {
  const { tokens, read: reads = [] } = request;
  checkTokens(tokens, info);
  checkReads(reads, tokens.length, info);
  const positions = request.logits === undefined ? [] : resolvePositions(request.logits, tokens.length);
  const outputs = outputRows([...positions, ...reads.map((read) => read.position)], tokens.length);
  cancellation.check();
  const context = contexts.acquire(tokens.length);
  context.shouldStop = cancellation.requested;
  context.decode({ tokens, from: 0, outputs });
  const rows = new RowReader(context, 0);
  const values = new Float32Array(positions.length * info.vocabulary);
  for (const [index, position] of positions.entries()) values.set(rows.row(position), index * info.vocabulary);
  const read = rows.summarise(reads);
  return {
    logits: request.logits === undefined ? null : { positions, values },
    read,
    captured: new Map(),
    nonFinite: rows.finite ? null : 'logits',
  };
}

/** Ascending and without repeats; the last row when none is wanted, so that the pass reaches the end of the model. */
export function outputRows(positions: readonly number[], length: number): number[] {
  const rows = [...new Set(positions)].sort((a, b) => a - b);
  return rows.length === 0 ? [length - 1] : rows;
}

/** Rows of the last evaluation by position; each is copied out of native memory once. */
export class RowReader {
  finite = true;
  readonly #context: LlamaContext;
  readonly #from: number;
  #position = -1;
  #row: Float32Array = new Float32Array(0);

  /** @param from position of the first token of the last evaluation */
  constructor(context: LlamaContext, from: number) {
    this.#context = context;
    this.#from = from;
  }

  /** [vocabulary] */
  row(position: number): Float32Array {
    if (position !== this.#position) {
      this.#row = this.#context.logits(position - this.#from);
      this.#position = position;
      if (!allFinite(this.#row)) this.finite = false;
    }
    return this.#row;
  }

  /** Results in the order of `reads`. */
  summarise(reads: readonly RowRead[]) {
    return reads.map((read) => summariseRow(this.row(read.position), read));
  }
}
