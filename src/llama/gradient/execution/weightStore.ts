/** Weights in the form the products want, F32 or F32 transposed: kept within a budget, else made anew inside each graph. */
import type { TensorHeader } from '../../graph/tensorHeader.ts';
import { float32, readTensorHeader } from '../../graph/tensorHeader.ts';
import type { Pointer } from '../../native/functions.ts';
import type { TapeTensor } from '../tape/tape.ts';
import type { GraphBackend } from './backend.ts';
import { Emitter, type OperatorNumbers, type Shape } from './emitter.ts';
import { newContext } from './tensorContext.ts';

type Form = 'float32' | 'transposed';

interface Kept {
  readonly tensor: TensorHeader;
  readonly context: Pointer;
  readonly buffer: Pointer;
  readonly bytes: number;
  readonly form: Form;
  readonly weight: TensorHeader;
  filled: boolean;
}

export class WeightStore {
  /** Bytes that may be kept. */
  readonly budget: number;
  /** Keeps nothing new: for a run that would not fit beside kept weights. */
  paused = false;
  /** Bytes kept now. */
  bytes = 0;
  readonly backend: GraphBackend;
  readonly #numbers: OperatorNumbers;
  readonly #kept = new Map<string, Kept>();

  constructor(backend: GraphBackend, numbers: OperatorNumbers, budget: number) {
    this.backend = backend;
    this.#numbers = numbers;
    this.budget = budget;
  }

  /** The weight in F32, [k, m, …]; its own tensor where it is F32 already. */
  float32(emit: Emitter, { header }: TapeTensor): TensorHeader {
    if (header.type === float32) return header;
    return this.#keep(header, 'float32') ?? emit.float32(header);
  }

  /** Whether {@link float32} gives memory that is kept; it takes the memory if there is room. */
  keeps({ header }: TapeTensor): boolean {
    return header.type === float32 || this.#keep(header, 'float32') !== null;
  }

  /** The weight in F32, transposed: [m, k, …]. */
  transposed(emit: Emitter, { header }: TapeTensor): TensorHeader {
    return this.#keep(header, 'transposed') ?? transposedIn(emit, header);
  }

  /** Makes what was promised since the last time. @throws E_CANCELLED */
  fill(shouldStop: () => boolean): void {
    for (const kept of this.#kept.values()) if (!kept.filled) this.#fill(kept, shouldStop);
  }

  /** Forgets every kept weight; no graph that names one may be computed afterwards. */
  free(): void {
    for (const kept of this.#kept.values()) this.#release(kept);
    this.#kept.clear();
    this.bytes = 0;
  }

  /** Memory for the weight in this form if the budget has room; it is not touched before {@link fill}. */
  #keep(weight: TensorHeader, form: Form): TensorHeader | null {
    const key = `${form} ${weight.address}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known.tensor;
    const bytes = 4 * weight.ne.reduce((product, count) => product * count, 1);
    if (this.paused || this.bytes + bytes > this.budget) return null;
    const { functions, address } = this.backend;
    const context = newContext(functions, { tensors: 1 });
    const shape = form === 'float32' ? weight.ne : transposedShape(weight);
    const tensor = new Emitter(functions, this.#numbers, context).tensor(float32, shape);
    const buffer = functions.ggml_backend_alloc_ctx_tensors(context, address);
    if (buffer === 0) {
      functions.ggml_free(context);
      return null;
    }
    const kept = { tensor: readTensorHeader(tensor.address), context, buffer, bytes, form, weight, filled: false };
    this.#kept.set(key, kept);
    this.bytes += bytes;
    return kept.tensor;
  }

  #fill(kept: Kept, shouldStop: () => boolean): void {
    const { functions, bufferType } = this.backend;
    const context = newContext(functions, { tensors: 16, graphs: [16] });
    const allocator = functions.ggml_gallocr_new(bufferType);
    try {
      const emit = new Emitter(functions, this.#numbers, context);
      const source = kept.form === 'float32' ? kept.weight : emit.transpose(emit.float32(kept.weight));
      const graph = functions.ggml_new_graph_custom(context, 16, false);
      functions.ggml_build_forward_expand(graph, emit.copyInto(source, kept.tensor).address);
      functions.ggml_gallocr_alloc_graph(allocator, graph);
      this.backend.compute(graph, shouldStop);
      kept.filled = true;
    } finally {
      functions.ggml_gallocr_free(allocator);
      functions.ggml_free(context);
    }
  }

  #release({ context, buffer }: Kept): void {
    this.backend.functions.ggml_backend_buffer_free(buffer);
    this.backend.functions.ggml_free(context);
  }
}

function transposedIn(emit: Emitter, weight: TensorHeader): TensorHeader {
  return emit.contiguous(emit.transpose(emit.float32(weight)));
}

function transposedShape({ ne: [k, m, x, y] }: TensorHeader): Shape {
  return [m, k, x, y];
}
