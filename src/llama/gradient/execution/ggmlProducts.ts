/** Products on ggml's own operators: runs on every platform, and is the reference for the kernel. */
import type { Precision } from '../../../model/model.ts';
import { float32, type TensorHeader } from '../../graph/tensorHeader.ts';
import type { BackwardContext } from '../rules/rule.ts';
import { operand, type TapeNode, type TapeTensor } from '../tape/tape.ts';
import type { Emitter } from './emitter.ts';
import type { MatrixProducts } from './matrixProducts.ts';
import type { WeightStore } from './weightStore.ts';

/** Up to this many rows, dequantising a weight once a row is cheaper than transposing it. */
const fewRows = 4;
const brainFloat = 30;

export class GgmlProducts implements MatrixProducts {
  readonly #emit: Emitter;
  readonly #weights: WeightStore;
  readonly #precision: Precision;

  constructor(emit: Emitter, weights: WeightStore, precision: Precision) {
    this.#emit = emit;
    this.#weights = weights;
    this.#precision = precision;
  }

  forward(node: TapeNode, value: (tensor: TapeTensor) => TensorHeader): TensorHeader | null {
    const weight = operand(node, 0);
    if (this.#precision === 'as-served' || weight.kind !== 'weight' || weight.header.type === float32) return null;
    const dequantised = this.#weights.float32(this.#emit, weight);
    const x = value(operand(node, 1));
    return node.operator === 'MUL_MAT'
      ? this.#emit.product(dequantised, x)
      : this.#emit.productById(dequantised, x, value(operand(node, 2)));
  }

  toSecond({ emit, value }: BackwardContext, node: TapeNode, gradient: TensorHeader): TensorHeader {
    const a = operand(node, 0);
    const upstream = emit.contiguous(gradient);
    if (a.kind !== 'weight') return emit.product(transposed(emit, value(a)), upstream);
    const [, rows, matrices, batches] = node.header.ne;
    if (rows * matrices * batches <= fewRows && a.header.type !== brainFloat) {
      return emit.outerProduct(a.header, emit.transpose(upstream));
    }
    return emit.product(this.transposed(a), upstream);
  }

  /** Sums over the heads that share a key or a value. */
  toFirst({ emit, value }: BackwardContext, node: TapeNode, gradient: TensorHeader): TensorHeader {
    const [a, b] = [operand(node, 0).header, operand(node, 1)];
    const rows = b.header.ne[1] * (b.header.ne[2] / a.ne[2]);
    const joined = emit.reshape(value(b), [a.ne[0], rows, a.ne[2], a.ne[3]]);
    const upstream = emit.reshape(gradient, [a.ne[1], rows, a.ne[2], a.ne[3]]);
    return emit.product(transposed(emit, joined), transposed(emit, upstream));
  }

  transposed(weight: TapeTensor): TensorHeader {
    return this.#weights.transposed(this.#emit, weight);
  }

  softmaxBack(_node: TapeNode, y: TensorHeader, gradient: TensorHeader, scale: number): TensorHeader {
    return this.#emit.softmaxBack(this.#emit.scale(this.#emit.contiguous(gradient), scale), y);
  }

  gatedBack(): null {
    return null;
  }
}

function transposed(emit: Emitter, a: TensorHeader): TensorHeader {
  return emit.contiguous(emit.transpose(emit.float32(a)));
}
