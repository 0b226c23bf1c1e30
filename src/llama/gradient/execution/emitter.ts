/** Adds operators of ggml to a graph in the making. Every method returns the header of the new tensor; nothing is computed here. */
import { float32, readTensorHeader, type TensorHeader } from '../../graph/tensorHeader.ts';
import { gatedNumbers, unaryNumbers } from '../../native/guard.ts';
import type { NativeFunctions, Pointer } from '../../native/functions.ts';
import { setCustomParameters } from '../../graph/writeTensor.ts';

export type Shape = readonly [number, number, number, number];

/** Numbers of the operators inside UNARY and GLU. */
export interface OperatorNumbers {
  readonly unary: ReadonlyMap<string, number>;
  readonly gated: ReadonlyMap<string, number>;
}

export function operatorNumbers(functions: NativeFunctions): OperatorNumbers {
  return { unary: unaryNumbers(functions), gated: gatedNumbers(functions) };
}

export class Emitter {
  readonly functions: NativeFunctions;
  readonly numbers: OperatorNumbers;
  /** The `ggml_context` that owns the new tensors. */
  readonly context: Pointer;

  constructor(functions: NativeFunctions, numbers: OperatorNumbers, context: Pointer) {
    this.functions = functions;
    this.numbers = numbers;
    this.context = context;
  }

  tensor(type: number, [x, y, z, w]: Shape): TensorHeader {
    return readTensorHeader(this.functions.ggml_new_tensor_4d(this.context, type, x, y, z, w));
  }

  add = (a: TensorHeader, b: TensorHeader) => this.#two(this.functions.ggml_add, a, b);
  subtract = (a: TensorHeader, b: TensorHeader) => this.#two(this.functions.ggml_sub, a, b);
  multiply = (a: TensorHeader, b: TensorHeader) => this.#two(this.functions.ggml_mul, a, b);
  divide = (a: TensorHeader, b: TensorHeader) => this.#two(this.functions.ggml_div, a, b);
  repeat = (a: TensorHeader, like: TensorHeader) => this.#two(this.functions.ggml_repeat, a, like);
  /** Sums what `repeat` would have repeated. */
  repeatBack = (a: TensorHeader, like: TensorHeader) => this.#two(this.functions.ggml_repeat_back, a, like);
  /** [m, n, …] = aᵀ b for a [k, m, …], b [k, n, …]. */
  product = (a: TensorHeader, b: TensorHeader) => this.#two(this.functions.ggml_mul_mat, a, b);
  /** Σ_l a[i, l] b[j, l]; a may be quantised, which dequantises it once for each row of the result. */
  outerProduct = (a: TensorHeader, b: TensorHeader) => this.#two(this.functions.ggml_out_prod, a, b);
  siluBack = (gradient: TensorHeader, x: TensorHeader) => this.#two(this.functions.ggml_silu_back, gradient, x);
  copyInto = (a: TensorHeader, target: TensorHeader) => this.#two(this.functions.ggml_cpy, a, target);

  /** factor · a + bias */
  scale(a: TensorHeader, factor: number, bias = 0): TensorHeader {
    const { ggml_scale, ggml_scale_bias } = this.functions;
    return readTensorHeader(
      bias === 0 ? ggml_scale(this.context, a.address, factor) : ggml_scale_bias(this.context, a.address, factor, bias),
    );
  }

  filledLike(a: TensorHeader, value: number): TensorHeader {
    return readTensorHeader(this.functions.ggml_fill(this.context, a.address, value));
  }

  squareRoot(a: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_sqrt(this.context, a.address));
  }

  logarithm(a: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_log(this.context, a.address));
  }

  sumRows(a: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_sum_rows(this.context, a.address));
  }

  /** @param name `TANH`, `SILU`, … */
  unary(a: TensorHeader, name: string): TensorHeader {
    const number = this.numbers.unary.get(name);
    if (number === undefined) throw new Error(`ggml has no unary operator ${name}`);
    return readTensorHeader(this.functions.ggml_unary(this.context, a.address, number));
  }

  rmsNormBack(gradient: TensorHeader, x: TensorHeader, epsilon: number): TensorHeader {
    return readTensorHeader(this.functions.ggml_rms_norm_back(this.context, gradient.address, x.address, epsilon));
  }

  /**
   * y · (gradient − Σ y · gradient), written over `gradient`. The form that is not in place must not be used: the graph allocator
   * may let it write over `y`, which its kernel reads again afterwards.
   */
  softmaxBack(gradient: TensorHeader, y: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_soft_max_ext_back_inplace(this.context, gradient.address, y.address, 1, 0));
  }

  /** A contiguous copy, or `a` itself when it is contiguous. */
  contiguous(a: TensorHeader): TensorHeader {
    return isContiguous(a) ? a : readTensorHeader(this.functions.ggml_cont(this.context, a.address));
  }

  reshape(a: TensorHeader, shape: Shape): TensorHeader {
    if (sameShape(a.ne, shape)) return a;
    const [x, y, z, w] = shape;
    return readTensorHeader(this.functions.ggml_reshape_4d(this.context, this.contiguous(a).address, x, y, z, w));
  }

  /** Axis i of `a` becomes axis `axes[i]`. */
  permute(a: TensorHeader, [x, y, z, w]: Shape): TensorHeader {
    return readTensorHeader(this.functions.ggml_permute(this.context, a.address, x, y, z, w));
  }

  transpose(a: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_transpose(this.context, a.address));
  }

  /** @param strides bytes of axes 1 to 3 */
  view(a: TensorHeader, [x, y, z, w]: Shape, strides: readonly [number, number, number], offset: number): TensorHeader {
    return readTensorHeader(this.functions.ggml_view_4d(this.context, a.address, x, y, z, w, ...strides, offset));
  }

  /** `base` with `part` added at the elements the strides and the offset (bytes) describe. */
  accumulateAt(base: TensorHeader, part: TensorHeader, strides: readonly [number, number, number], offset: number): TensorHeader {
    return readTensorHeader(this.functions.ggml_acc(this.context, base.address, part.address, ...strides, offset));
  }

  float32(a: TensorHeader): TensorHeader {
    return a.type === float32 ? a : readTensorHeader(this.functions.ggml_cast(this.context, a.address, float32));
  }

  concatenate(a: TensorHeader, b: TensorHeader, axis: number): TensorHeader {
    return readTensorHeader(this.functions.ggml_concat(this.context, a.address, b.address, axis));
  }

  getRowsBack(gradient: TensorHeader, rows: TensorHeader, like: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_get_rows_back(this.context, gradient.address, rows.address, like.address));
  }

  setRows(target: TensorHeader, source: TensorHeader, rows: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_set_rows(this.context, target.address, source.address, rows.address));
  }

  productById(weights: TensorHeader, x: TensorHeader, ids: TensorHeader): TensorHeader {
    return readTensorHeader(this.functions.ggml_mul_mat_id(this.context, weights.address, x.address, ids.address));
  }

  /** An operator of our own, all threads taking part. `parameters`: 32-bit words behind those of ggml. */
  custom(shape: Shape, operands: readonly TensorHeader[], function_: Pointer, write: (words: DataView) => void): TensorHeader {
    const [x, y, z, w] = shape;
    const addresses = BigUint64Array.from(operands, ({ address }) => BigInt(address));
    const address = this.functions.ggml_custom_4d(
      this.context,
      float32,
      x,
      y,
      z,
      w,
      addresses,
      addresses.length,
      function_,
      everyThread,
      0,
    );
    return setCustomParameters(address, write);
  }

  #two(emit: (context: Pointer, a: Pointer, b: Pointer) => Pointer, a: TensorHeader, b: TensorHeader): TensorHeader {
    return readTensorHeader(emit(this.context, a.address, b.address));
  }
}

const everyThread = -1;

export function isContiguous({ ne, nb, type }: TensorHeader): boolean {
  if (type !== float32) return false;
  let expected = 4;
  for (let axis = 0; axis < 4; axis++) {
    if (ne[axis] !== 1 && nb[axis] !== expected) return false;
    expected *= ne[axis] as number;
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.every((count, axis) => count === b[axis]);
}
