/**
 * The Model interface: everything above it (attribution, analysis, engine, command line) is written against this
 * and knows nothing of llama.cpp or ONNX; an implementation knows nothing of attribution.
 *
 * Everything is plain data and typed arrays, so a model can live behind a worker thread (`src/engine/workerModel.ts`).
 * Every returned array is the caller's own copy. Same request, same bytes, whatever ran before.
 */
import type { GraphSummary } from '../shared/graphSummary.ts';
import type { ModelTask } from '../shared/modelTask.ts';
import type { Token } from '../shared/tokens.ts';
import type { GradientOptions, GradientPathRequest, GradientPathResult, GradientRequest, GradientResult } from './gradient.ts';
import type { Site } from './sites.ts';

/**
 * `as-served`: the forward pass exactly as the runtime executes the shipped file, 8-bit activations and all.
 * `dequantised`: the same weights computed in fp32.
 */
export type Precision = 'as-served' | 'dequantised';

export interface ModelInfo {
  readonly name: string;
  /** Absolute path of the file, or the address of a server. */
  readonly file: string;
  /** Hex digest of the whole file; empty for a model on a server, which does not tell. */
  readonly sha256: string;
  readonly format: 'gguf' | 'onnx' | 'remote';
  /** Absent: a language model, whose logits are about the next token. With a task every position gives the same one row. */
  readonly task?: ModelTask;
  readonly architecture: string;
  /** As the file names it: `Q4_1`, `F16`, … */
  readonly quantization: string;
  readonly precision: Precision;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly hidden: number;
  readonly headSize: number;
  /** Neurons of one MLP. */
  readonly neurons: number;
  readonly vocabulary: number;
  /** Tokens a prompt and its response may have together. */
  readonly contextLength: number;
  readonly fileBytes: number;
  /** Whether `forwardVariants` computes once what neighbours in `prefixOrder` begin with; costs are counted by it. */
  readonly sharesBeginnings: boolean;
  /** Whether that holds for patched variants too, up to their first patched position. */
  readonly sharesPatchedBeginnings: boolean;
  /** Whether the sequence that one request read last is still held when the next begins. */
  readonly holdsBeginnings: boolean;
  readonly can: { readonly capture: boolean; readonly patch: boolean; readonly gradient: boolean; readonly chat: boolean };
  /** Why a file of this kind is limited (an unsupported architecture can still generate), for `models inspect`. */
  readonly notes: readonly string[];
  /** What computes it, where that is not the processor: an execution provider of ONNX Runtime. */
  readonly provider?: string;
  /** How the graph of an ONNX file was read. */
  readonly graph?: GraphSummary;
}

/** Numbers in a row of logits. */
export function outputWidth({ task, vocabulary }: Pick<ModelInfo, 'task' | 'vocabulary'>): number {
  if (task === undefined) return vocabulary;
  return task.kind === 'classify' ? task.labels.length : task.width;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface EncodeOptions {
  /** Recognise control tokens written in the text (`<|im_start|>`). Default true. */
  readonly parseSpecial?: boolean;
  /** Let the vocabulary add its beginning-of-sequence token where the model was trained with one. Default true. */
  readonly addSpecial?: boolean;
}

export interface Tokenized {
  readonly tokens: readonly Token[];
  /** True when some offsets are only approximate (a normaliser changed the text). The result must warn. */
  readonly approximateOffsets: boolean;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface Tokenizer {
  /** @throws E_PROMPT_INVALID for lone surrogates */
  encode(text: string, options?: EncodeOptions): Promise<Tokenized>;
  /** The bytes of the tokens as text; invalid UTF-8 becomes U+FFFD. */
  decode(ids: readonly number[]): Promise<string>;
  /** Text of single tokens, as the vocabulary spells them (control tokens included). */
  pieces(ids: readonly number[]): Promise<string[]>;
  /** Renders messages through the model's Jinja chat template. @throws E_TEMPLATE when it is absent or throws */
  renderChat(messages: readonly ChatMessage[], options?: { readonly addGenerationPrompt?: boolean }): Promise<string>;
  special(): Promise<{
    readonly bos: number | null;
    readonly eos: number | null;
    readonly endOfGeneration: readonly number[];
    readonly chatTemplate: string | null;
  }>;
}

/** Positions of the sequence: all, the last, or listed. */
export type Positions = 'all' | 'last' | readonly number[];

/** What to read from one row of logits without copying the whole vocabulary. */
export interface RowRead {
  readonly position: number;
  /** Tokens whose logits are wanted. */
  readonly ids: readonly number[];
  /** How many of the most likely tokens to list. Default 0. */
  readonly top?: number;
  /** Also the entropy of the row. */
  readonly entropy?: true;
  /** [V] probabilities: also KL(row ‖ reference). */
  readonly reference?: Float32Array;
  /** [V] also Σ weights · logits. */
  readonly weights?: Float32Array;
}

export interface RowResult {
  readonly position: number;
  /** log Σ exp(logits) over the vocabulary; logprob = logit − logSumExp, nats. */
  readonly logSumExp: number;
  /** Logits of the asked ids, in their order. */
  readonly logits: Float32Array;
  /** 1 = most likely; rank of each asked id among all tokens; 0 = not known, from a server that did not list it. */
  readonly ranks: Int32Array;
  readonly top: readonly { readonly id: number; readonly logit: number }[];
  /** −Σ p log p, nats, where it was asked for. */
  readonly entropy?: number;
  /** Σ p (log p − log reference), nats, where a reference was given. */
  readonly divergence?: number;
  /** Σ weights · logits, where weights were given. */
  readonly weighted?: number;
}

/** How a captured attention pattern is reduced beside the model, before it is copied out (1,000 tokens × 270 heads is a gigabyte). */
export type PatternReduction =
  /** [query, key]: mean over heads */
  | { readonly kind: 'head-mean' }
  /** [heads, size, size]: maximum over blocks of queries × keys; size = min(size, T) */
  | { readonly kind: 'thumbnail'; readonly size: number }
  /** [query, key]: one head */
  | { readonly kind: 'head'; readonly head: number };

export interface CaptureRequest {
  readonly site: Site;
  readonly reduce?: PatternReduction;
}

/** F32 tensor, row-major; shapes as in sites.ts (or as the reduction says). */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Overwrites part of a site during the forward pass. Absent `positions` / `heads` mean all. */
export interface Patch {
  readonly site: Site;
  readonly positions?: readonly number[];
  /** For `z`, `pattern`, `q`, `k`, `v`, `scores`: head indices. */
  readonly heads?: readonly number[];
  readonly operation: /** values: the selected part, row-major in the site's own axis order */
    | { readonly kind: 'overwrite' | 'add'; readonly values: Float32Array }
    | { readonly kind: 'scale'; readonly factor: number }
    /** zero ablation */
    | { readonly kind: 'zero' }
    /** mean ablation: the mean over all positions of the same run */
    | { readonly kind: 'mean' }
    /** For `scores`: the selected queries do not see these keys, except each position itself; softmax shares out the rest. */
    | { readonly kind: 'hide'; readonly keys: readonly number[] };
}

export interface ForwardRequest {
  /** Token ids, or input embeddings [T, hidden] with `tokens` giving their number. */
  readonly tokens: Int32Array;
  readonly embeddings?: Float32Array;
  /** Rows of logits to copy out whole. */
  readonly logits?: Positions;
  /** Rows to summarise. */
  readonly read?: readonly RowRead[];
  readonly capture?: readonly CaptureRequest[];
  readonly patches?: readonly Patch[];
}

export interface ForwardResult {
  /** [rows, vocabulary] in the order of `positions`; null when none were asked for. */
  readonly logits: { readonly positions: readonly number[]; readonly values: Float32Array } | null;
  readonly read: readonly RowResult[];
  /** Keyed by siteName(). */
  readonly captured: ReadonlyMap<string, Tensor>;
  /** The first tensor that held a NaN or an infinity, by site name, or null. Callers report it (E_NUMERIC). */
  readonly nonFinite: string | null;
}

/** Many sequences, evaluated in the order that reuses most of what they share; results in the order given. */
export interface VariantsRequest {
  readonly variants: readonly {
    readonly tokens: Int32Array;
    readonly read: readonly RowRead[];
    /** What is not computed twice then is what lies before the first patched position. */
    readonly patches?: readonly Patch[];
  }[];
}

export interface VariantResult {
  readonly read: readonly RowResult[];
}

export interface GenerateRequest {
  readonly tokens: Int32Array;
  readonly maxTokens: number;
  /** 0 = greedy. */
  readonly temperature: number;
  readonly seed: number;
  /** Alternatives listed for each token. */
  readonly top: number;
}

export interface GeneratedToken {
  readonly id: number;
  readonly text: string;
  /** Nats, under the unscaled distribution (temperature 1). */
  readonly logprob: number;
  readonly alternatives: readonly { readonly id: number; readonly text: string; readonly logprob: number }[];
}

export interface Generation {
  readonly tokens: readonly GeneratedToken[];
  readonly text: string;
  /** `length`: maxTokens reached; `stop`: end-of-generation token (not part of `tokens`); `context`: the context is full. */
  readonly finish: 'length' | 'stop' | 'context';
}

/** What to read from one vector of the residual stream, seen through the last norm and the unembedding. */
export interface UnembedRead {
  /** Tokens whose logits and ranks are wanted. */
  readonly ids?: readonly number[];
  /** How many of the most likely tokens to list, and how many of the least likely. Default 0. */
  readonly top?: number;
  readonly bottom?: number;
  /** Also the entropy of the row. */
  readonly entropy?: true;
  /** Number of an earlier row of the request: also KL(that row ‖ this row). */
  readonly reference?: number;
  /** Number of an earlier row of the request, whose logits are taken off first: what a row of zeros gives, for instance. */
  readonly minus?: number;
}

export interface UnembedRequest {
  /** [N, D] each read as if it stood behind the last block. */
  readonly rows: Float32Array;
  /** One a row, in their order. */
  readonly read: readonly UnembedRead[];
}

export interface UnembedResult {
  /** log Σ exp(logits) over the vocabulary; logprob = logit − logSumExp, nats. */
  readonly logSumExp: number;
  /** Logits and ranks (1 = most likely) of the asked ids, in their order. */
  readonly logits: Float32Array;
  readonly ranks: Int32Array;
  /** Most likely first; least likely first. */
  readonly top: readonly { readonly id: number; readonly logit: number }[];
  readonly bottom: readonly { readonly id: number; readonly logit: number }[];
  /** −Σ p log p, nats, where it was asked for. */
  readonly entropy?: number;
  /** Σ q (log q − log p), nats, q the reference row, where one was given. */
  readonly divergence?: number;
}

export interface Model {
  readonly info: ModelInfo;
  readonly tokenizer: Tokenizer;
  /** @throws E_CONTEXT_OVERFLOW, E_CANCELLED, E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE */
  forward(request: ForwardRequest, options?: CallOptions): Promise<ForwardResult>;
  /**
   * Equal, byte for byte, to one `forward` per variant. But on ONNX, where a request has patches, a variant without them is computed as
   * patched ones are, and may differ from a plain `forward` in the last digits. `onResult` is called as each finishes, with its index.
   * @throws as `forward`
   */
  forwardVariants(
    request: VariantsRequest,
    options?: CallOptions & { readonly onResult?: (index: number, result: VariantResult) => void },
  ): Promise<VariantResult[]>;
  /** Streams through `onToken`. @throws as `forward` */
  generate(
    request: GenerateRequest,
    options?: CallOptions & { readonly onToken?: (token: GeneratedToken) => void },
  ): Promise<Generation>;
  /**
   * One forward pass and one backward pass for each target.
   * @throws E_GRADIENT_UNSUPPORTED, E_GRADIENT_MEMORY, E_GRADIENT_TARGET, E_NUMERIC, E_METHOD_UNSUPPORTED, and as `forward`
   */
  gradient(request: GradientRequest, options?: GradientOptions): Promise<GradientResult>;
  /** The same along a line of input embeddings, for integrated gradients. @throws as `gradient` */
  gradientAlong(request: GradientPathRequest, options?: GradientOptions): Promise<GradientPathResult>;
  /**
   * The end of the forward pass alone: last norm and unembedding (and a cap on the logits, where the model has one) of vectors the
   * caller gives, [N, D]. Logits are read a few rows at a time and never held for all of them; a row that others refer to is kept
   * until the last of them is read. The vectors of `resid_post` of the last layer give the model's own logits. Models that can
   * capture can do this.
   * @throws E_PATCH_SHAPE, E_TOKEN_RANGE, E_SITE_UNKNOWN, E_NUMERIC, E_CANCELLED, E_OUT_OF_MEMORY
   */
  unembed(request: UnembedRequest, options?: CallOptions): Promise<UnembedResult[]>;
  dispose(): Promise<void>;
}
