/** One llama.cpp context: its key/value cache, and evaluation of tokens in it on the calling thread. */
import koffi, { type TypeObject } from 'koffi';
import { outOfMemory } from '../../shared/errorCatalog.ts';
import { LoupeError } from '../../shared/errors.ts';
import type { Pointer } from '../native/functions.ts';
import { clearLog, loggedReason } from '../native/log.ts';
import type { NativeModel } from '../native/nativeModel.ts';
import { EvaluationCallbacks, type NodeObserver } from './callbacks.ts';

const decodeAborted = 2;
const float32 = 0;

export interface DecodeRequest {
  readonly tokens: Int32Array;
  /** Position of the first token; everything at or after it is forgotten first. */
  readonly from: number;
  /** Indices into `tokens` whose logits are wanted, ascending, at least one. */
  readonly outputs: readonly number[];
  readonly observer?: NodeObserver;
}

/**
 * Whether `count` tokens behind `from` others meet the kernels that the whole sequence would: one token alone takes a vector kernel,
 * and some kernels take rows in pairs.
 */
function meetsSameKernels(from: number, count: number): boolean {
  return from === 0 || (count >= 2 && from % 2 === 0);
}

export class LlamaContext {
  /** Tokens the cache holds. */
  readonly capacity: number;
  readonly #native: NativeModel;
  readonly #callbacks = new EvaluationCallbacks();
  readonly #context: Pointer;
  readonly #memory: Pointer;
  readonly #rowType: TypeObject;
  #shouldStop: () => boolean = () => false;
  #length = 0;
  #held: Int32Array = new Int32Array(0);
  #freed = false;

  /** @throws E_OUT_OF_MEMORY */
  constructor(native: NativeModel, capacity: number, threads: number) {
    this.#native = native;
    clearLog();
    this.#context = native.functions.llama_init_from_model(native.model, {
      ...native.functions.llama_context_default_params(),
      n_ctx: capacity,
      // One physical batch must hold the whole prompt: captured tensors would otherwise come in pieces.
      n_batch: capacity,
      n_ubatch: capacity,
      n_seq_max: 1,
      n_threads: threads,
      n_threads_batch: threads,
      // Only without flash attention do the attention probabilities exist as a tensor.
      flash_attn_type: 0,
      type_k: float32,
      type_v: float32,
      offload_kqv: false,
      op_offload: false,
      swa_full: true,
      cb_eval: this.#callbacks.evaluation,
      abort_callback: this.#callbacks.abort,
    });
    if (this.#context === 0) {
      this.#callbacks.unregister();
      throw outOfMemory(loggedReason(`a context of ${capacity} tokens could not be allocated`));
    }
    this.capacity = Math.min(capacity, native.functions.llama_n_ctx(this.#context));
    this.#memory = native.functions.llama_get_memory(this.#context);
    this.#rowType = koffi.array('float', native.vocabularySize, 'Typed');
  }

  /** Tokens now in the cache. */
  get length(): number {
    return this.#length;
  }

  /**
   * The first tokens in the cache, as far as their keys and values are those that one evaluation of any longer sequence would
   * leave. Whoever changes the activations of an evaluation must clear the cache afterwards.
   */
  get held(): Int32Array {
    return this.#held;
  }

  /** What stops an evaluation; asked before every node of the graph. */
  set shouldStop(poll: () => boolean) {
    this.#shouldStop = poll;
  }

  /** Empties the cache. `wipe`: also zero its memory, so that a NaN of an earlier run can never be multiplied with a zero. */
  clear(wipe = false): void {
    if (this.#memory !== 0) this.#native.functions.llama_memory_clear(this.#memory, wipe);
    this.#length = 0;
    this.#held = new Int32Array(0);
  }

  /**
   * Forgets everything from position `from` on.
   * @returns false when this kind of memory cannot be shortened (recurrent models); it is then unchanged
   */
  truncate(from: number): boolean {
    if (from === this.#length) return true;
    if (from === 0) {
      this.clear();
      return true;
    }
    if (!this.#native.functions.llama_memory_seq_rm(this.#memory, 0, from, -1)) return false;
    this.#length = from;
    this.#held = this.#held.subarray(0, from);
    return true;
  }

  /**
   * Evaluates tokens behind what the cache holds. When it throws, the cache is empty and the context stays usable.
   * @throws E_CANCELLED, or what the observer threw
   */
  decode(request: DecodeRequest): void {
    this.#decode(request, true);
  }

  /** @param wipe whether a run that did not end may have left something in the cache's memory */
  #decode({ tokens, from, outputs, observer }: DecodeRequest, wipe: boolean): void {
    if (from > this.#length) throw new RangeError(`position ${from} lies behind the cache of ${this.#length} tokens`);
    if (!this.truncate(from)) throw new Error('this kind of model cannot go back to an earlier position');
    const positions = Int32Array.from(tokens, (_, index) => from + index);
    const wanted = new Int8Array(tokens.length);
    for (const index of outputs) wanted[index] = 1;
    this.#callbacks.begin(observer ?? null, this.#shouldStop);
    clearLog();
    const status = this.#native.functions.llama_decode(this.#context, {
      n_tokens: tokens.length,
      token: tokens,
      embd: null,
      pos: positions,
      n_seq_id: null,
      seq_id: null,
      logits: wanted,
    });
    if (status !== 0 || this.#callbacks.interrupted) this.clear(wipe);
    else this.#extend(tokens, from);
    this.#callbacks.finish();
    if (status === decodeAborted) throw new Error('llama.cpp stopped the evaluation without being asked to');
    if (status !== 0) throw outOfMemory(loggedReason(`llama.cpp could not evaluate ${tokens.length} tokens (status ${status})`));
  }

  #extend(tokens: Int32Array, from: number): void {
    this.#length = from + tokens.length;
    if (this.#held.length !== from || !meetsSameKernels(from, tokens.length)) return;
    const held = new Int32Array(this.#length);
    held.set(this.#held);
    held.set(tokens, from);
    this.#held = held;
  }

  /**
   * Shows every node of the graph for `tokens` to `observer`, with its inputs set, and stops after computing the first one.
   * The cache is empty afterwards.
   */
  survey(tokens: Int32Array, observer: NodeObserver, outputs: readonly number[] = [tokens.length - 1]): void {
    const shouldStop = this.#shouldStop;
    this.#shouldStop = () => true;
    try {
      // The first node looks up embeddings: the cache's memory is not even touched.
      this.#decode({ tokens, from: 0, outputs, observer }, false);
    } catch (error) {
      if (!(error instanceof LoupeError && error.code === 'E_CANCELLED')) throw error;
    } finally {
      this.#shouldStop = shouldStop;
    }
  }

  /** Logits of one row of the last evaluation, [vocabulary]; the index counts its tokens and must have been an output. */
  logits(index: number): Float32Array {
    const row = this.#native.functions.llama_get_logits_ith(this.#context, index);
    if (row === 0) throw new RangeError(`row ${index} was not asked for`);
    return koffi.decode(row, this.#rowType) as Float32Array;
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#native.functions.llama_free(this.#context);
    this.#callbacks.unregister();
  }
}
