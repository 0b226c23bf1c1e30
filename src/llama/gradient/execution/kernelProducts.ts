/** Products with our own kernel (native/README.md), on F32 weights. What it has no form for goes to ggml. */
import type { Precision } from '../../../model/model.ts';
import { float32, type TensorHeader } from '../../graph/tensorHeader.ts';
import type { Kernel } from '../../native/kernel.ts';
import type { BackwardContext } from '../rules/rule.ts';
import { operand, type TapeNode, type TapeTensor } from '../tape/tape.ts';
import type { AttentionRoles } from './attentionRoles.ts';
import { type Emitter, isContiguous, type Shape } from './emitter.ts';
import type { GgmlProducts } from './ggmlProducts.ts';
import type { MatrixProducts } from './matrixProducts.ts';
import type { WeightStore } from './weightStore.ts';

/** First parameter of the kernel's product: which axis of each operand is summed over. */
const mode = { transposedNormal: 0, normalNormal: 1, normalTransposed: 2 } as const;

/** What causal attention leaves out: `native/README.md` has the table. */
const causal = { none: 0, entriesAbove: 1, termsAbove: 2, termsBelow: 3, termsBelowRow: 4 } as const;
type Causal = (typeof causal)[keyof typeof causal];

/** Up to this many rows ggml's product with the quantised weight beats unpacking a matrix of this many columns. */
const few = { rows: 4, columns: 16_384, pieceRows: 64 } as const;

/** Columns of a large matrix that are unpacked together. */
const piece = 4096;

export interface KernelParts {
  readonly emit: Emitter;
  /** For the working memory, which lives as long as the graph. */
  readonly inputs: Emitter;
  readonly kernel: Kernel;
  readonly threads: number;
  readonly weights: WeightStore;
  readonly precision: Precision;
  readonly roles: AttentionRoles;
  readonly fallback: GgmlProducts;
}

export class KernelProducts implements MatrixProducts {
  readonly #parts: KernelParts;
  #scratch: TensorHeader | null = null;

  constructor(parts: KernelParts) {
    this.#parts = parts;
  }

  forward(node: TapeNode, value: (tensor: TapeTensor) => TensorHeader): TensorHeader | null {
    const { precision, fallback, roles } = this.#parts;
    if (precision === 'as-served') return null;
    if (node.operator !== 'MUL_MAT') return fallback.forward(node, value);
    const x = value(operand(node, 1));
    if (this.#isPieced(node)) return this.#inPieces(node, x);
    const matrix = this.#matrix(operand(node, 0), value);
    if (matrix === null || !isReadable(x)) return fallback.forward(node, value);
    const role = roles.of(node);
    const skipped = role === 'scores' ? causal.entriesAbove : role === 'mixture' ? causal.termsAbove : causal.none;
    return this.#product(mode.transposedNormal, matrix, x, node.header.ne, skipped);
  }

  toSecond(context: BackwardContext, node: TapeNode, gradient: TensorHeader): TensorHeader {
    const { roles, fallback } = this.#parts;
    const a = operand(node, 0);
    if (!this.#prefersQuantised(a, node) && this.#isPieced(node)) return this.#piecesBack(node, this.#readable(gradient));
    const matrix = this.#prefersQuantised(a, node) ? null : this.#matrix(a, context.value);
    if (matrix === null) return fallback.toSecond(context, node, gradient);
    const role = roles.of(node);
    // Of the probabilities every entry: those of hidden keys are 0, but have a derivative.
    const skipped = role === 'scores' ? causal.termsAbove : causal.none;
    return this.#product(mode.normalNormal, matrix, this.#readable(gradient), operand(node, 1).header.ne, skipped);
  }

  toFirst(context: BackwardContext, node: TapeNode, gradient: TensorHeader): TensorHeader {
    const { roles } = this.#parts;
    const role = roles.of(node);
    const skipped = role === 'scores' ? causal.termsBelow : role === 'mixture' ? causal.termsBelowRow : causal.none;
    const b = this.#readable(context.value(operand(node, 1)));
    return this.#product(mode.normalTransposed, b, this.#readable(gradient), operand(node, 0).header.ne, skipped);
  }

  transposed(weight: TapeTensor): TensorHeader {
    return this.#parts.fallback.transposed(weight);
  }

  softmaxBack(node: TapeNode, y: TensorHeader, gradient: TensorHeader, scale: number): TensorHeader {
    const { emit, kernel, roles } = this.#parts;
    return emit.custom(y.ne, [emit.contiguous(y), emit.contiguous(gradient)], kernel.softmaxBack, (words) => {
      words.setFloat32(0, scale, true);
      words.setInt32(4, roles.isCausal(node) ? 1 : 0, true);
    });
  }

  gatedBack(activation: string, gate: TensorHeader, value: TensorHeader, gradient: TensorHeader) {
    const { emit, kernel } = this.#parts;
    const [width, rows, more, most] = gate.ne;
    if (activation !== 'SILU' || more * most !== 1 || gate.nb[0] !== 4 || value.nb[0] !== 4) return null;
    const operands = [gate, value, this.#readable(gradient)];
    const both = emit.custom([width, rows, 2, 1], operands, kernel.swigluBack, () => undefined);
    const bytes = width * rows * 4;
    const part = (index: number) => emit.view(both, [width, rows, 1, 1], [width * 4, bytes, bytes], index * bytes);
    return [part(0), part(1)] as const;
  }

  /** The first operand in F32, or null when the kernel cannot read it. */
  #matrix(a: TapeTensor, value: (tensor: TapeTensor) => TensorHeader): TensorHeader | null {
    const { emit, weights } = this.#parts;
    if (a.kind === 'weight') return weights.float32(emit, a);
    const tensor = value(a);
    return isReadable(tensor) ? tensor : null;
  }

  /** A large matrix that is not kept is unpacked a piece at a time: the unembedding alone can be larger than all activations of a block. */
  #isPieced(node: TapeNode): boolean {
    const a = operand(node, 0);
    const [columns, rows, matrices, batches] = node.header.ne;
    const large = a.kind === 'weight' && columns >= 2 * piece && rows <= few.pieceRows && matrices * batches === 1;
    return large && !this.#parts.weights.keeps(a);
  }

  #inPieces(node: TapeNode, x: TensorHeader): TensorHeader {
    const { emit } = this.#parts;
    const input = this.#readable(x);
    const parts = pieces(emit, operand(node, 0).header).map(({ matrix, count }) =>
      this.#product(mode.transposedNormal, matrix, input, [count, node.header.ne[1], 1, 1], causal.none),
    );
    return parts.reduce((joined, part) => emit.concatenate(joined, part, 0));
  }

  #piecesBack(node: TapeNode, gradient: TensorHeader): TensorHeader {
    const { emit } = this.#parts;
    const shape = operand(node, 1).header.ne;
    const [, rows] = node.header.ne;
    const [, ...strides] = gradient.nb;
    const parts = pieces(emit, operand(node, 0).header).map(({ matrix, first, count }) =>
      this.#product(mode.normalNormal, matrix, emit.view(gradient, [count, rows, 1, 1], strides, first * 4), shape, causal.none),
    );
    return parts.reduce((sum, part) => emit.add(sum, part));
  }

  #prefersQuantised(a: TapeTensor, node: TapeNode): boolean {
    if (a.kind !== 'weight' || this.#parts.precision === 'dequantised') return false;
    const [columns, rows, matrices, batches] = node.header.ne;
    return rows * matrices * batches <= few.rows && columns >= few.columns;
  }

  #readable(tensor: TensorHeader): TensorHeader {
    return isReadable(tensor) ? tensor : this.#parts.emit.contiguous(tensor);
  }

  #product(kind: number, a: TensorHeader, b: TensorHeader, shape: Shape, skipped: Causal): TensorHeader {
    const { emit, kernel } = this.#parts;
    return emit.custom(shape, [a, b, this.#workingMemory()], kernel.matmul, (words) => {
      words.setInt32(0, kind, true);
      words.setInt32(4, skipped, true);
    });
  }

  #workingMemory(): TensorHeader {
    const { inputs, kernel, threads } = this.#parts;
    this.#scratch ??= inputs.tensor(float32, [(kernel.scratchBytes / 4) * threads, 1, 1, 1]);
    return this.#scratch;
  }
}

/** A weight [k, m] in F32, `piece` of its m columns after the other. */
function pieces(emit: Emitter, weight: TensorHeader) {
  const [k, m] = weight.ne;
  const [, stride] = weight.nb;
  return Array.from({ length: Math.ceil(m / piece) }, (_, index) => {
    const first = index * piece;
    const count = Math.min(piece, m - first);
    const bytes = stride * count;
    return { first, count, matrix: emit.float32(emit.view(weight, [k, count, 1, 1], [stride, bytes, bytes], first * stride)) };
  });
}

/** Rows that lie in one piece; the kernel takes any stride between them. */
function isReadable(tensor: TensorHeader): boolean {
  return tensor.type === float32 && (tensor.nb[0] === 4 || isContiguous(tensor));
}
