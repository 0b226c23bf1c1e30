/** Runs one operator of the kernel in a graph of its own, on tensors of any stride. */
import { float32, type TensorHeader } from '../../../src/llama/graph/tensorHeader.ts';
import type { GraphBackend } from '../../../src/llama/gradient/execution/backend.ts';
import { Emitter, operatorNumbers, type Shape } from '../../../src/llama/gradient/execution/emitter.ts';
import { newContext } from '../../../src/llama/gradient/execution/tensorContext.ts';

/** Numbers with some unused ones behind each row. */
export interface Operand {
  readonly shape: Shape;
  readonly rowStride: number;
  readonly data: Float32Array;
}

/** Reproducible numbers between −1 and 1. @param gap unused numbers behind each row; they hold a value that must not be read */
export function operandOf(shape: Shape, seed: number, gap = 0): Operand {
  const rowStride = shape[0] + gap;
  const rows = shape[1] * shape[2] * shape[3];
  const data = Float32Array.from({ length: rowStride * rows }, (_, index) =>
    index % rowStride < shape[0] ? Math.sin(seed + 1.37 * index + (index % 7)) : Number.NaN,
  );
  return { shape, rowStride, data };
}

export const at = ({ shape, rowStride, data }: Operand, x: number, y: number, z = 0, w = 0): number =>
  data[rowStride * (y + shape[1] * (z + shape[2] * w)) + x] as number;

export function runOperator(
  backend: GraphBackend,
  operands: readonly Operand[],
  shape: Shape,
  scratchBytes: number,
  emitOperator: (emit: Emitter, tensors: readonly TensorHeader[], scratch: TensorHeader) => TensorHeader,
): Float32Array {
  const { functions } = backend;
  const context = newContext(functions, { tensors: 2 * operands.length + 2, graphs: [16] });
  let buffer = 0;
  try {
    const emit = new Emitter(functions, operatorNumbers(functions), context);
    const storage = operands.map(({ data }) => emit.tensor(float32, [data.length, 1, 1, 1]));
    const views = operands.map(({ shape: [x, y, z, w], rowStride }, index) => {
      const row = 4 * rowStride;
      return emit.view(storage[index] as TensorHeader, [x, y, z, w], [row, row * y, row * y * z], 0);
    });
    const scratch = emit.tensor(float32, [(scratchBytes / 4) * backend.threads, 1, 1, 1]);
    const result = emitOperator(emit, views, scratch);
    const graph = functions.ggml_new_graph_custom(context, 16, false);
    functions.ggml_build_forward_expand(graph, result.address);
    buffer = functions.ggml_backend_alloc_ctx_tensors(context, backend.address);
    // What is not written stays visible.
    functions.ggml_backend_buffer_clear(buffer, 0xff);
    operands.forEach(({ data }, index) => {
      functions.ggml_backend_tensor_set((storage[index] as TensorHeader).address, data, 0, data.byteLength);
    });
    backend.compute(graph, () => false);
    const found = new Float32Array(shape[0] * shape[1] * shape[2] * shape[3]);
    functions.ggml_backend_tensor_get(result.address, found, 0, found.byteLength);
    return found;
  } finally {
    if (buffer !== 0) functions.ggml_backend_buffer_free(buffer);
    functions.ggml_free(context);
  }
}
