/** The Model interface on ONNX Runtime. */
import type {
  GradientOptions,
  GradientPathRequest,
  GradientPathResult,
  GradientRequest,
  GradientResult,
} from '../model/gradient.ts';
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
import { Cancellation } from '../model/runtime/cancellation.ts';
import { checkTokens } from '../model/runtime/checkRequest.ts';
import { Exclusive } from '../model/runtime/exclusive.ts';
import { generate } from '../model/runtime/generate.ts';
import { guardTokenizer } from '../model/runtime/guardedTokenizer.ts';
import { modelDisposed } from '../shared/errorCatalog.ts';
import { answer } from './evaluation/answer.ts';
import type { OnnxEvaluator } from './evaluation/evaluator.ts';
import { forward } from './evaluation/forward.ts';
import { GradientEngine, type GradientSettings } from './evaluation/gradientEngine.ts';
import { SequenceDecoder } from './evaluation/sequenceDecoder.ts';
import { unembed } from './evaluation/unembedding.ts';
import type { KeyValueReader } from './keptTokens/keyValueReader.ts';
import { isPlain, plainForward } from './keptTokens/plainForward.ts';
import { sharedVariants } from './keptTokens/sharedVariants.ts';
import type { OnnxTokenizer } from './tokenizer/onnxTokenizer.ts';

export interface OnnxModelParts {
  readonly evaluator: OnnxEvaluator;
  readonly tokenizer: OnnxTokenizer;
  readonly endOfGeneration: ReadonlySet<number>;
  /** Null for a file that takes no keys and values. */
  readonly reader: KeyValueReader | null;
  readonly gradients: GradientSettings;
  readonly cancelFlag: Int32Array | undefined;
}

export class OnnxModel implements Model {
  readonly info: ModelInfo;
  readonly tokenizer: Tokenizer;
  readonly #parts: OnnxModelParts;
  readonly #gradients: GradientEngine;
  readonly #exclusive = new Exclusive();
  #disposed: Promise<void> | null = null;

  constructor(parts: OnnxModelParts) {
    this.#parts = parts;
    this.info = parts.evaluator.info;
    this.tokenizer = guardTokenizer(parts.tokenizer, () => {
      if (this.#disposed !== null) throw modelDisposed();
    });
    this.#gradients = new GradientEngine(parts.evaluator, parts.gradients);
  }

  forward(request: ForwardRequest, options?: CallOptions): Promise<ForwardResult> {
    const { evaluator } = this.#parts;
    const reader = isPlain(request) ? this.#sharing : null;
    return this.#run(options, (cancellation) =>
      reader === null ? forward(evaluator, request, cancellation) : plainForward(evaluator, reader, request, cancellation),
    );
  }

  forwardVariants(
    { variants }: VariantsRequest,
    options?: CallOptions & { readonly onResult?: (index: number, result: VariantResult) => void },
  ): Promise<VariantResult[]> {
    // With patches among them all are read on the graph that was opened up, so that what is compared was computed alike.
    const reader = variants.some(({ patches = [] }) => patches.length > 0) ? null : this.#sharing;
    return this.#run(options, async (cancellation) => {
      const onResult = options?.onResult ?? (() => undefined);
      if (reader !== null) return await sharedVariants(this.#parts.evaluator, reader, variants, cancellation, onResult);
      const results: VariantResult[] = [];
      for (const [index, variant] of variants.entries()) {
        const { read: rows } = await forward(this.#parts.evaluator, variant, cancellation);
        results.push({ read: rows });
        onResult(index, { read: rows });
        await cancellation.breathe();
      }
      return results;
    });
  }

  generate(
    request: GenerateRequest,
    options?: CallOptions & { readonly onToken?: (token: GeneratedToken) => void },
  ): Promise<Generation> {
    return this.#run(options, async (cancellation) => {
      const { evaluator, tokenizer, endOfGeneration, reader } = this.#parts;
      checkTokens(request.tokens, this.info);
      if (this.info.task !== undefined) return await answer(evaluator, this.info.task, request, cancellation, options?.onToken);
      const decoder = new SequenceDecoder(evaluator, reader, cancellation);
      const decode = new TextDecoder('utf-8', { ignoreBOM: true });
      return await generate(
        request,
        {
          contextLength: this.info.contextLength,
          vocabulary: {
            isEndOfGeneration: (id) => endOfGeneration.has(id),
            piece: (id) => tokenizer.piece(id),
            label: (id) => decode.decode(tokenizer.piece(id)),
          },
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
    return this.#run(options, (cancellation) => unembed(this.#parts.evaluator, request, cancellation));
  }

  /** Frees the sessions once whatever runs has ended; later calls are refused. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#exclusive.run(async () => {
      await this.#gradients.release();
      await this.#parts.evaluator.sessions.release();
    });
    return this.#disposed;
  }

  get #sharing(): KeyValueReader | null {
    return this.info.sharesBeginnings ? this.#parts.reader : null;
  }

  #run<T>(options: CallOptions | undefined, task: (cancellation: Cancellation) => Promise<T> | T): Promise<T> {
    if (this.#disposed !== null) return Promise.reject(modelDisposed());
    const cancellation = new Cancellation(this.#parts.cancelFlag, options?.signal);
    return this.#exclusive.run(() => task(cancellation));
  }
}
