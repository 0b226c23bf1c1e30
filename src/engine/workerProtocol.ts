import type { LoadOptions } from '../shared/protocol/engine.ts';
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
  VariantResult,
  VariantsRequest,
} from '../model/model.ts';

/** What the engine's main thread asks of the thread that holds the native model: the Model interface, flattened. */
export interface WorkerMethods {
  open(file: string, options: LoadOptions): ModelInfo;
  encode(text: string, options: EncodeOptions | undefined): Tokenized;
  decode(ids: readonly number[]): string;
  pieces(ids: readonly number[]): string[];
  renderChat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt?: boolean } | undefined): string;
  special(): Awaited<ReturnType<Tokenizer['special']>>;
  forward(request: ForwardRequest): ForwardResult;
  /** `stream`: also send each result as an event. */
  forwardVariants(request: VariantsRequest, stream: boolean): VariantResult[];
  generate(request: GenerateRequest): Generation;
  dispose(): void;
}

/** Events carry the id of the call they belong to. */
export interface WorkerEvents {
  loading(callId: string, done: number, total: number): void;
  variant(callId: string, index: number, result: VariantResult): void;
  token(callId: string, token: GeneratedToken): void;
}

/** What a new worker thread is started with. */
export interface WorkerStart {
  /** Set to 1 by the main thread, polled by the native evaluation. */
  readonly cancelFlag: Int32Array<SharedArrayBuffer>;
}
