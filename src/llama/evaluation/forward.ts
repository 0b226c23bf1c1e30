/** One forward pass: tokens in, logits, summaries and captured sites out. */
import type { CaptureRequest, ForwardRequest, ForwardResult, ModelInfo, Patch, RowRead, Tensor } from '../../model/model.ts';
import type { RestartPoint } from '../graph/restartPoints.ts';
import type { SiteTable } from '../graph/siteTable.ts';
import type { NativeModel } from '../native/nativeModel.ts';
import { SiteObserver } from '../sites/siteObserver.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { checkReads, checkTokens, resolvePositions } from '../../model/runtime/checkRequest.ts';
import type { LlamaContext } from './context.ts';
import type { ContextPool } from './contextPool.ts';
import { firstNonFinite } from './nonFinite.ts';
import type { PrefixReuse } from './variants.ts';
import { allFinite, summariseRow } from '../../model/runtime/rowSummary.ts';

export interface Evaluator {
  readonly info: ModelInfo;
  readonly contexts: ContextPool;
  readonly native: NativeModel;
  readonly sites: SiteTable;
  prefixReuse: PrefixReuse;
  /** Where a pass may begin in the middle, the deepest layer first. */
  readonly restartPoints: readonly RestartPoint[];
  layerReuse: PrefixReuse;
}

/**
 * @throws E_TOKEN_RANGE, E_CONTEXT_OVERFLOW, E_CANCELLED, E_OUT_OF_MEMORY, E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE,
 * E_PATCH_SHAPE
 */
export function forward(evaluator: Evaluator, request: ForwardRequest, cancellation: Cancellation): ForwardResult {
  const { info, contexts } = evaluator;
  const { tokens, read: reads = [] } = request;
  checkTokens(tokens, info);
  checkReads(reads, tokens.length, info);
  const positions = request.logits === undefined ? [] : resolvePositions(request.logits, tokens.length);
  const patches = allPatches(request);
  const observer = observe(evaluator, request.capture ?? [], patches, tokens.length);
  const wanted =
    observer?.needsAllRows === true
      ? resolvePositions('all', tokens.length)
      : [...positions, ...reads.map((read) => read.position)];
  const outputs = outputRows(wanted, tokens.length);
  cancellation.check();
  const context = contexts.acquire(tokens.length);
  context.shouldStop = cancellation.requested;
  context.decode({ tokens, from: 0, outputs, ...(observer === null ? {} : { observer }) });
  const rows = new RowReader(context, 0);
  const values = new Float32Array(positions.length * info.vocabulary);
  for (const [index, position] of positions.entries()) values.set(rows.row(position), index * info.vocabulary);
  const read = rows.summarise(reads);
  // A row no caller reads still tells whether the pass went well.
  if (positions.length + reads.length === 0) rows.row(outputs.at(-1) ?? 0);
  const captured = observer?.captured ?? new Map<string, Tensor>();
  const sound = rows.finite && [...captured].every(([site, { data }]) => site.startsWith('scores.') || allFinite(data));
  const nonFinite = sound ? null : firstNonFinite(evaluator, context, { tokens, outputs, patches });
  // What a patch or a NaN left in the cache must not meet the next run.
  if (!sound || patches.length > 0) context.clear(true);
  return { logits: request.logits === undefined ? null : { positions, values }, read, captured, nonFinite };
}

/** Input embeddings are what enters the first block, so they are written over the `embed` site. */
function allPatches({ embeddings, patches = [] }: ForwardRequest): readonly Patch[] {
  if (embeddings === undefined) return patches;
  return [{ site: { kind: 'embed' }, operation: { kind: 'overwrite', values: embeddings } }, ...patches];
}

function observe(
  { native, sites, info }: Evaluator,
  captures: readonly CaptureRequest[],
  patches: readonly Patch[],
  tokens: number,
): SiteObserver | null {
  if (captures.length + patches.length === 0) return null;
  return new SiteObserver(native.functions, sites, info, { captures, patches, tokens });
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
