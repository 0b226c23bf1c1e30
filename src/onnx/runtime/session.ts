import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { onnxRuntimeFailed } from '../../shared/onnxErrors.ts';
import { loadRuntime, type Runtime } from './loadRuntime.ts';
import { runtimeTypeName, type TensorValue, typeOfRuntimeName } from './tensorValue.ts';

export interface SessionOptions {
  /** Threads inside one operator. */
  readonly threads: number;
  /** How far ONNX Runtime may rewrite the graph; default 'all'. */
  readonly optimisation?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Weights are copied into the order that multiplies fastest: more memory, faster runs. Default true. */
  readonly prepacking?: boolean;
  /** A residual sum and the norm behind it are one operator where ONNX Runtime sees that their shapes fit; it rounds otherwise. Default true. */
  readonly fusesSums?: boolean;
  /** Execution providers in order of preference; default ['cpu']. */
  readonly providers?: readonly string[];
}

/** A graph that ONNX Runtime has prepared. Calls from several places are run one after the other. */
export interface OnnxSession {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * @param outputs names to compute; all when left out
   * @throws E_ONNX_RUNTIME
   */
  run(feeds: Readonly<Record<string, TensorValue>>, outputs?: readonly string[]): Promise<Record<string, TensorValue>>;
  /** Frees its memory; waits for a run that is under way. A second call does nothing. */
  release(): Promise<void>;
}

/**
 * Prepares a written graph.
 * @param bytes an ONNX file, as `writeGraph` makes it
 * @param folder where the files of its external data are
 * @throws E_ONNX_RUNTIME_MISSING, E_ONNX_RUNTIME
 */
export async function createSession(bytes: Uint8Array, folder: string, options: SessionOptions): Promise<OnnxSession> {
  const runtime = await loadRuntime();
  try {
    const session = await runtime.InferenceSession.create(bytes, {
      executionProviders: [...(options.providers ?? ['cpu'])],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: options.optimisation ?? 'all',
      // What it would print on standard error, where one line is promised, is thrown as well.
      logSeverityLevel: 4,
      // A plan of memory for each shape is laid beside what the first run took: twice the activations, and no faster.
      enableMemPattern: false,
      extra: {
        session: {
          model_external_initializers_file_folder_path: folder,
          ...(options.prepacking === false ? { disable_prepacking: '1' } : {}),
        },
        ...(options.fusesSums === false ? { optimization: { disable_specified_optimizers: 'SkipLayerNormFusion' } } : {}),
      },
    });
    return new RunningSession(runtime, session);
  } catch (error) {
    throw onnxRuntimeFailed('it prepared the model', reason(error));
  }
}

class RunningSession implements OnnxSession {
  #last: Promise<unknown> = Promise.resolve();
  #released = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
  ) {}

  get inputs(): readonly string[] {
    return this.session.inputNames;
  }

  get outputs(): readonly string[] {
    return this.session.outputNames;
  }

  async run(feeds: Readonly<Record<string, TensorValue>>, outputs?: readonly string[]): Promise<Record<string, TensorValue>> {
    return this.#queue(async () => {
      if (this.#released) throw onnxRuntimeFailed('it ran the model', 'the session was released');
      const given = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, this.#toTensor(name, value)]));
      try {
        const results = await (outputs === undefined ? this.session.run(given) : this.session.run(given, outputs));
        return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromTensor(tensor)]));
      } catch (error) {
        throw onnxRuntimeFailed('it ran the model', reason(error));
      }
    });
  }

  async release(): Promise<void> {
    await this.#queue(async () => {
      if (this.#released) return;
      this.#released = true;
      await this.session.release();
    });
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #toTensor(name: string, { type, dims, data }: TensorValue): Tensor {
    const typeName = runtimeTypeName(type);
    if (typeName === null)
      throw onnxRuntimeFailed('it ran the model', `the input ${name} has the element type ${type}, which cannot be given`);
    return new this.runtime.Tensor(typeName, data, dims);
  }
}

function fromTensor(tensor: Tensor): TensorValue {
  // Texts are the one kind of data that is no typed array; no output of a language model has them.
  const data: unknown = tensor.data;
  return { type: typeOfRuntimeName(tensor.type), dims: tensor.dims, data: data as TensorValue['data'] };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
