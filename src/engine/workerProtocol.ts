import type { LoadOptions } from '../shared/protocol/engine.ts';
import type {
  GradientPathRequest,
  GradientPathResult,
  GradientPlan,
  GradientRequest,
  GradientResult,
} from '../model/gradient.ts';
import type {
  ChatMessage,
  EncodeOptions,
  ForwardRequest,
  ForwardResult,
  GenerateRequest,
  GeneratedToken,
  Generation,
  ModelInfo,
  Tokenized,
  Tokenizer,
  UnembedRequest,
  UnembedResult,
  VariantResult,
  VariantsRequest,
} from '../model/model.ts';

/**
 * What the engine's main thread asks of the thread that holds the native models: the Model interface, flattened.
 * `model` is the number that `open` gave.
 */
export interface WorkerMethods {
  open(file: string, options: LoadOptions): { readonly model: number; readonly info: ModelInfo };
  encode(model: number, text: string, options: EncodeOptions | undefined): Tokenized;
  decode(model: number, ids: readonly number[]): string;
  pieces(model: number, ids: readonly number[]): string[];
  renderChat(
    model: number,
    messages: readonly ChatMessage[],
    options: { readonly addGenerationPrompt?: boolean } | undefined,
  ): string;
  special(model: number): Awaited<ReturnType<Tokenizer['special']>>;
  forward(model: number, request: ForwardRequest): ForwardResult;
  /** `stream`: also send each result as an event. */
  forwardVariants(model: number, request: VariantsRequest, stream: boolean): VariantResult[];
  generate(model: number, request: GenerateRequest): Generation;
  gradient(model: number, request: GradientRequest): GradientResult;
  gradientAlong(model: number, request: GradientPathRequest): GradientPathResult;
  unembed(model: number, request: UnembedRequest): UnembedResult[];
  dispose(model: number): void;
}

/** Events carry the id of the call they belong to. */
export interface WorkerEvents {
  loading(callId: string, done: number, total: number): void;
  variant(callId: string, index: number, result: VariantResult): void;
  token(callId: string, token: GeneratedToken): void;
  plan(callId: string, plan: GradientPlan): void;
  gradientProgress(callId: string, done: number, total: number): void;
}

/** What the worker thread is started with. */
export interface WorkerStart {
  /** Set to 1 by the main thread, polled by the native evaluation. */
  readonly cancelFlag: Int32Array<SharedArrayBuffer>;
}
