/** The Model interface on llama.cpp. */
import type {
  CallOptions,
  ForwardRequest,
  ForwardResult,
  GenerateRequest,
  GeneratedToken,
  Generation,
  Model,
  ModelInfo,
  Tokenizer,
  UnembedRequest,
  UnembedResult,
  VariantResult,
  VariantsRequest,
} from '../model/model.ts';
import type {
  GradientOptions,
  GradientPathRequest,
  GradientPathResult,
  GradientRequest,
  GradientResult,
} from '../model/gradient.ts';
import { modelDisposed, modelUnsupported } from '../shared/errorCatalog.ts';
import { Cancellation } from '../model/runtime/cancellation.ts';
import { type Evaluator, forward } from './evaluation/forward.ts';
import { SequenceDecoder } from './evaluation/sequenceDecoder.ts';
import { forwardVariants } from './evaluation/variants.ts';
import { checkTokens } from '../model/runtime/checkRequest.ts';
import { Exclusive } from '../model/runtime/exclusive.ts';
import { generate } from '../model/runtime/generate.ts';
import { GradientEngine, type GradientProfile, type GradientSettings } from './gradient/gradientEngine.ts';
import { guardTokenizer } from '../model/runtime/guardedTokenizer.ts';
import { generationVocabulary } from './tokenizer/tokenText.ts';
import type { Vocabulary } from './tokenizer/vocabulary.ts';
import { Unembedding } from './unembedding/unembedding.ts';

export interface LlamaModelParts {
  readonly evaluator: Evaluator;
  readonly tokenizer: Tokenizer;
  readonly vocabulary: Vocabulary;
  /** Why it can tokenise only, or null. */
  readonly refusal: string | null;
  readonly cancelFlag: Int32Array | undefined;
  readonly gradients: GradientSettings;
}

export class LlamaModel implements Model {
  readonly info: ModelInfo;
  readonly tokenizer: Tokenizer;
  readonly #evaluator: Evaluator;
  readonly #vocabulary: Vocabulary;
  readonly #refusal: string | null;
  readonly #cancelFlag: Int32Array | undefined;
  readonly #gradients: GradientEngine;
  readonly #unembedding: Unembedding;
  readonly #exclusive = new Exclusive();
  #disposed: Promise<void> | null = null;

  constructor({ evaluator, tokenizer, vocabulary, refusal, cancelFlag, gradients }: LlamaModelParts) {
    this.info = evaluator.info;
    this.tokenizer = guardTokenizer(tokenizer, () => {
      if (this.#disposed !== null) throw modelDisposed();
    });
    this.#evaluator = evaluator;
    this.#vocabulary = vocabulary;
    this.#refusal = refusal;
    this.#cancelFlag = cancelFlag;
    this.#gradients = new GradientEngine(evaluator, gradients);
    this.#unembedding = new Unembedding(evaluator, gradients.threads);
  }

  forward(request: ForwardRequest, options?: CallOptions): Promise<ForwardResult> {
    return this.#run(options, (cancellation) => forward(this.#evaluator, request, cancellation));
  }

  forwardVariants(
    request: VariantsRequest,
    options?: CallOptions & { readonly onResult?: (index: number, result: VariantResult) => void },
  ): Promise<VariantResult[]> {
    const onResult = options?.onResult ?? (() => undefined);
    return this.#run(options, (cancellation) => forwardVariants(this.#evaluator, request, cancellation, onResult));
  }

  generate(
    request: GenerateRequest,
    options?: CallOptions & { readonly onToken?: (token: GeneratedToken) => void },
  ): Promise<Generation> {
    return this.#run(options, (cancellation) => {
      checkTokens(request.tokens, this.info);
      const capacity = Math.min(this.info.contextLength, request.tokens.length + Math.max(0, request.maxTokens));
      const decoder = new SequenceDecoder(this.#evaluator.contexts.acquire(capacity), cancellation);
      return generate(
        request,
        {
          contextLength: this.info.contextLength,
          vocabulary: generationVocabulary(this.#vocabulary),
          evaluate: (tokens, position) => decoder.decode(tokens, position),
        },
        options,
      );
    });
  }

  gradient(request: GradientRequest, options?: GradientOptions): Promise<GradientResult> {
    return this.#run(options, (cancellation) => this.#gradients.gradient(request, cancellation, options ?? {}));
  }

  gradientAlong(request: GradientPathRequest, options?: GradientOptions): Promise<GradientPathResult> {
    return this.#run(options, (cancellation) => this.#gradients.gradientAlong(request, cancellation, options ?? {}));
  }

  unembed(request: UnembedRequest, options?: CallOptions): Promise<UnembedResult[]> {
    return this.#run(options, (cancellation) => this.#unembedding.run(request, cancellation));
  }

  /** Operators and tensors a gradient would flow through. Not part of the interface: a test asks. */
  gradientNodes(request: GradientRequest): Promise<{ readonly operator: string; readonly name: string }[]> {
    return this.#run(undefined, () => this.#gradients.nodes(request));
  }

  /** Times each node of a gradient. Not part of the interface: a benchmark asks. */
  profileGradient(request: GradientRequest, time: (run: () => void) => number): Promise<GradientProfile> {
    return this.#run(undefined, (cancellation) => this.#gradients.profile(request, cancellation, time));
  }

  /** Frees the native memory once whatever runs has ended; later calls are refused. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#exclusive.run(() => {
      const { contexts, native } = this.#evaluator;
      this.#gradients.free();
      this.#unembedding.free();
      contexts.free();
      native.functions.llama_model_free(native.model);
    });
    return this.#disposed;
  }

  #run<T>(options: CallOptions | undefined, task: (cancellation: Cancellation) => Promise<T> | T): Promise<T> {
    if (this.#disposed !== null) return Promise.reject(modelDisposed());
    if (this.#refusal !== null) return Promise.reject(modelUnsupported(this.info.file, this.#refusal));
    const cancellation = new Cancellation(this.#cancelFlag, options?.signal);
    return this.#exclusive.run(() => task(cancellation));
  }
}
