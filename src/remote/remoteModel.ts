/** The Model interface on a server: forward passes alone, one request a row. */
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
  UnembedResult,
  VariantResult,
  VariantsRequest,
} from '../model/model.ts';
import type { GradientPathResult, GradientResult } from '../model/gradient.ts';
import { checkReads, checkTokens, resolvePositions } from '../model/runtime/checkRequest.ts';
import { Exclusive } from '../model/runtime/exclusive.ts';
import { guardTokenizer } from '../model/runtime/guardedTokenizer.ts';
import { gradientUnsupported, methodUnsupported, modelDisposed } from '../shared/errorCatalog.ts';
import { generateRemotely } from './generateRemotely.ts';
import { wholeRow } from './readRow.ts';
import { RemoteTokenizer } from './remoteTokenizer.ts';
import { readVariants } from './readVariants.ts';
import type { ServerConnection } from './serverProtocol.ts';
import { withAbortSignal } from './withAbortSignal.ts';

/** What runs on a model that gives forward passes alone. */
const blackBox = ['explain --method lime', 'explain --method occlusion', 'logprobs', 'generate'];

export class RemoteModel implements Model {
  readonly info: ModelInfo;
  readonly tokenizer: Tokenizer;
  readonly #server: ServerConnection;
  readonly #cancelFlag: Int32Array | undefined;
  readonly #labels: RemoteTokenizer;
  readonly #exclusive = new Exclusive();
  #isDisposed = false;

  constructor(server: ServerConnection, cancelFlag: Int32Array | undefined) {
    this.info = server.info;
    this.#server = server;
    this.#cancelFlag = cancelFlag;
    this.#labels = new RemoteTokenizer(server, (task) => withAbortSignal(cancelFlag, undefined, task));
    this.tokenizer = guardTokenizer(this.#labels, () => {
      if (this.#isDisposed) throw modelDisposed();
    });
  }

  forward(request: ForwardRequest, options?: CallOptions): Promise<ForwardResult> {
    return this.#run(options, async (signal) => {
      const { tokens, read = [], logits } = request;
      refuseInside(request);
      checkTokens(tokens, this.info);
      checkReads(read, tokens.length, this.info);
      const [{ read: rows } = { read: [] }] = await readVariants(this.#server, [{ tokens, read }], signal);
      return {
        logits: logits === undefined ? null : await this.#rows(tokens, resolvePositions(logits, tokens.length), signal),
        read: rows,
        captured: new Map(),
        nonFinite: null,
      };
    });
  }

  forwardVariants(
    { variants }: VariantsRequest,
    options?: CallOptions & { readonly onResult?: (index: number, result: VariantResult) => void },
  ): Promise<VariantResult[]> {
    return this.#run(options, async (signal) => {
      for (const variant of variants) {
        refuseInside(variant);
        checkTokens(variant.tokens, this.info);
        checkReads(variant.read, variant.tokens.length, this.info);
      }
      return await readVariants(this.#server, variants, signal, options?.onResult);
    });
  }

  generate(
    request: GenerateRequest,
    options?: CallOptions & { readonly onToken?: (token: GeneratedToken) => void },
  ): Promise<Generation> {
    return this.#run(options, async (signal) => {
      checkTokens(request.tokens, this.info);
      const { onToken } = options ?? {};
      const call = { signal, ...(onToken === undefined ? {} : { onToken }) };
      return await generateRemotely(this.#server, this.#labels, request, call);
    });
  }

  gradient(): Promise<GradientResult> {
    return Promise.reject(noGradient());
  }

  gradientAlong(): Promise<GradientPathResult> {
    return Promise.reject(noGradient());
  }

  unembed(): Promise<UnembedResult[]> {
    return Promise.reject(methodUnsupported('unembedding', 'a look inside', blackBox));
  }

  /** There is nothing to free; later calls are refused. */
  dispose(): Promise<void> {
    return this.#exclusive.run(() => {
      this.#isDisposed = true;
    });
  }

  /** [rows, vocabulary] log-probabilities. */
  async #rows(tokens: Int32Array, positions: readonly number[], signal: AbortSignal) {
    const { vocabulary } = this.info;
    const values = new Float32Array(positions.length * vocabulary);
    for (const [row, position] of positions.entries()) {
      values.set(await wholeRow(this.#server, tokens.subarray(0, position + 1), signal), row * vocabulary);
    }
    return { positions, values };
  }

  #run<T>(options: CallOptions | undefined, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#exclusive.run(() => {
      if (this.#isDisposed) throw modelDisposed();
      return withAbortSignal(this.#cancelFlag, options?.signal, task);
    });
  }
}

/** @throws E_METHOD_UNSUPPORTED for anything that reaches into a forward pass */
function refuseInside({ embeddings, capture = [], patches = [] }: Partial<ForwardRequest>): void {
  if (embeddings !== undefined) throw methodUnsupported('input embeddings', 'a way in behind the tokens', blackBox);
  if (capture.length > 0) throw methodUnsupported('capture', 'a look inside', blackBox);
  if (patches.length > 0) throw methodUnsupported('patching', 'changes inside a forward pass', blackBox);
}

function noGradient() {
  return gradientUnsupported('a model on a server', 'a server tells probabilities and no derivatives', blackBox);
}
