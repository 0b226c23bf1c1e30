/** Runs the kernel's operators on a few small tensors and compares them with plain loops, before anything relies on them. */
import { float32, type TensorHeader } from '../../graph/tensorHeader.ts';
import type { Kernel } from '../../native/kernel.ts';
import type { GraphBackend } from './backend.ts';
import { Emitter, type OperatorNumbers, type Shape } from './emitter.ts';
import { newContext } from './tensorContext.ts';

/** Sizes that are no multiple of any tile, and one that is: [m, n, k]. */
const sizes = [
  [37, 19, 23],
  [64, 48, 40],
  [35, 2, 17],
] as const;
const tolerance = 1e-4;

/** What differed from plain arithmetic, or null. */
export function kernelFault(backend: GraphBackend, numbers: OperatorNumbers, kernel: Kernel): string | null {
  for (const [m, n, k] of sizes) {
    for (const mode of [0, 1, 2]) {
      const a = mode === 0 ? numbersOf(k, m) : numbersOf(m, mode === 1 ? k : n);
      const b = numbersOf(k, n);
      const shape: Shape = mode === 2 ? [m, k, 1, 1] : [m, n, 1, 1];
      const found = compute(
        backend,
        numbers,
        [a, b],
        shape,
        (emit, operands, scratch) =>
          emit.custom(shape, [...operands, scratch], kernel.matmul, (words) => {
            words.setInt32(0, mode, true);
            words.setInt32(4, 0, true);
          }),
        kernel,
      );
      if (differs(found, plainProduct(mode, a, b, shape))) return `its product of mode ${mode} differs at ${m} × ${n} × ${k}`;
    }
    const [y, g] = [numbersOf(k, m), numbersOf(k, n > m ? n : m)];
    const square = { ...g, rows: m, values: g.values.subarray(0, k * m) };
    const softmax = compute(
      backend,
      numbers,
      [y, square],
      [k, m, 1, 1],
      (emit, operands) =>
        emit.custom([k, m, 1, 1], operands, kernel.softmaxBack, (words) => {
          words.setFloat32(0, 0.5, true);
          words.setInt32(4, 0, true);
        }),
      kernel,
    );
    if (differs(softmax, plainSoftmaxBack(y, square, 0.5))) return `its derivative of the softmax differs at ${k} × ${m}`;
    const gated = compute(
      backend,
      numbers,
      [y, square, y],
      [k, m, 2, 1],
      (emit, operands) => emit.custom([k, m, 2, 1], operands, kernel.swigluBack, () => undefined),
      kernel,
    );
    if (differs(gated, plainGatedBack(y, square, y))) return `its derivative of the gated unit differs at ${k} × ${m}`;
  }
  return null;
}

/** Rows of `width` numbers each. */
interface Matrix {
  readonly width: number;
  readonly rows: number;
  readonly values: Float32Array;
}

/** Always the same, between −1 and 1. */
function numbersOf(width: number, rows: number): Matrix {
  const values = Float32Array.from({ length: width * rows }, (_, index) => Math.sin(1.7 * index + width));
  return { width, rows, values };
}

function compute(
  backend: GraphBackend,
  numbers: OperatorNumbers,
  operands: readonly Matrix[],
  shape: Shape,
  emitOperator: (emit: Emitter, operands: readonly TensorHeader[], scratch: TensorHeader) => TensorHeader,
  kernel: Kernel,
): Float32Array {
  const { functions } = backend;
  const context = newContext(functions, { tensors: operands.length + 2, graphs: [4] });
  let buffer = 0;
  try {
    const emit = new Emitter(functions, numbers, context);
    const tensors = operands.map(({ width, rows }) => emit.tensor(float32, [width, rows, 1, 1]));
    const scratch = emit.tensor(float32, [(kernel.scratchBytes / 4) * backend.threads, 1, 1, 1]);
    const result = emitOperator(emit, tensors, scratch);
    const graph = functions.ggml_new_graph_custom(context, 4, false);
    functions.ggml_build_forward_expand(graph, result.address);
    buffer = functions.ggml_backend_alloc_ctx_tensors(context, backend.address);
    operands.forEach(({ values }, index) => {
      functions.ggml_backend_tensor_set((tensors[index] as TensorHeader).address, values, 0, values.byteLength);
    });
    backend.compute(graph, () => false);
    const found = new Float32Array(shape[0] * shape[1] * shape[2]);
    functions.ggml_backend_tensor_get(result.address, found, 0, found.byteLength);
    return found;
  } finally {
    if (buffer !== 0) functions.ggml_backend_buffer_free(buffer);
    functions.ggml_free(context);
  }
}

function plainProduct(mode: number, a: Matrix, b: Matrix, [m, n]: Shape): Float64Array {
  const result = new Float64Array(m * n);
  const terms = mode === 0 ? a.width : mode === 1 ? b.width : b.rows;
  const of = ({ values, width }: Matrix, row: number, column: number) => values[row * width + column] as number;
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < terms; l++) {
        const left = mode === 0 ? of(a, i, l) : of(a, l, i);
        const right = mode === 2 ? of(b, l, j) : of(b, j, l);
        result[j * m + i] = (result[j * m + i] as number) + left * right;
      }
    }
  }
  return result;
}

function plainSoftmaxBack(y: Matrix, g: Matrix, scale: number): Float64Array {
  const result = new Float64Array(y.values.length);
  for (let row = 0; row < y.rows; row++) {
    let sum = 0;
    const at = (index: number) => row * y.width + index;
    for (let index = 0; index < y.width; index++) sum += (y.values[at(index)] as number) * (g.values[at(index)] as number);
    for (let index = 0; index < y.width; index++) {
      result[at(index)] = scale * (y.values[at(index)] as number) * ((g.values[at(index)] as number) - sum);
    }
  }
  return result;
}

function plainGatedBack(x: Matrix, y: Matrix, g: Matrix): Float64Array {
  const count = x.values.length;
  const result = new Float64Array(2 * count);
  for (let index = 0; index < count; index++) {
    const [gate, value, upstream] = [x.values[index] as number, y.values[index] as number, g.values[index] as number];
    const sigmoid = 1 / (1 + Math.exp(-gate));
    result[index] = upstream * value * (sigmoid + gate * sigmoid * (1 - sigmoid));
    result[count + index] = upstream * gate * sigmoid;
  }
  return result;
}

function differs(found: Float32Array, expected: Float64Array): boolean {
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return !expected.every((value, index) => Math.abs(value - (found[index] as number)) <= tolerance * scale);
}
