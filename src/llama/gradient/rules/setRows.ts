import type { TensorHeader } from '../../graph/tensorHeader.ts';
import { type Emitter, type Shape, sameShape } from '../execution/emitter.ts';
import { operand, type TapeNode } from '../tape/tape.ts';
import type { BackwardContext, CacheRead, OperatorRule } from './rule.ts';

const identity: Shape = [0, 1, 2, 3];

/**
 * Writes the new keys or values into a layer's cache. The cache is read through views that do not name this node, so their
 * gradients are collected by the cache (`view.ts`) and gathered here from the cells that were written, which follow each other.
 */
export const setRows: OperatorRule = {
  operator: 'SET_ROWS',
  refusal(node, _numbers, tokens) {
    if (node.root?.kind !== 'cache') return 'it writes rows of something that is no cache';
    return firstCell(node, tokens) === null ? 'the cells it writes do not follow each other' : null;
  },
  backward(context, node) {
    const source = operand(node, 0);
    const cache = node.root;
    if (cache === null || !context.needs(source)) return;
    for (const read of context.cacheReads(cache)) {
      context.accumulate(source, context.emit.reshape(written(context, node, read), source.header.ne));
    }
  },
};

/** The gradient of the written cells, in the order they were written. */
function written({ emit, tokens }: BackwardContext, node: TapeNode, { view, gradient }: CacheRead): TensorHeader {
  const { ordered, shape } = inMemoryOrder(emit, view, gradient);
  const cell = firstCell(node, tokens) ?? 0;
  if (isTransposed(node)) {
    // Cache [cells, E], view [cells, S, heads] → [E, T]
    const cells = shape[0];
    const width = shape[1] * shape[2] * shape[3];
    const flat = emit.reshape(ordered, [cells, width, 1, 1]);
    const part = emit.view(flat, [tokens, width, 1, 1], [cells * 4, cells * width * 4, cells * width * 4], cell * 4);
    return emit.contiguous(emit.transpose(part));
  }
  // Cache [E, cells], view [S, heads, cells] → [E, T]
  const width = operand(node, 0).header.ne[0];
  const cells = (shape[0] * shape[1] * shape[2] * shape[3]) / width;
  const flat = emit.reshape(ordered, [width, cells, 1, 1]);
  return emit.view(flat, [width, tokens, 1, 1], [width * 4, width * tokens * 4, width * tokens * 4], cell * width * 4);
}

/** Brings the axes into the order in which the view's elements lie in the cache. */
function inMemoryOrder(emit: Emitter, { header: { ne, nb } }: TapeNode, gradient: TensorHeader) {
  const order = [0, 1, 2, 3].sort(
    (a, b) => Number(ne[a] === 1) - Number(ne[b] === 1) || (nb[a] as number) - (nb[b] as number) || a - b,
  ) as unknown as Shape;
  const target = [0, 0, 0, 0];
  order.forEach((axis, place) => {
    target[axis] = place;
  });
  return {
    ordered: sameShape(order, identity) ? gradient : emit.permute(gradient, target as unknown as Shape),
    shape: order.map((axis) => ne[axis]) as unknown as Shape,
  };
}

/** Values are kept transposed: one number a row. */
function isTransposed({ header }: TapeNode): boolean {
  return header.ne[0] === 1;
}

/** The cell of the first token, or null when those of the others do not follow it. */
function firstCell(node: TapeNode, tokens: number): number | null {
  const rows = operand(node, 1);
  if (rows.kind === 'node' || rows.bytes === null) return null;
  const numbers = new BigInt64Array(rows.bytes.buffer, rows.bytes.byteOffset, Math.floor(rows.bytes.length / 8));
  // Transposed: one row number for each element of a token, element · cells + cell; the token's first is its cell.
  const stride = isTransposed(node) ? numbers.length / tokens : 1;
  const first = Number(numbers[0] ?? 0n);
  for (let token = 0; token < tokens; token++) if (Number(numbers[token * stride]) !== first + token) return null;
  return first;
}
