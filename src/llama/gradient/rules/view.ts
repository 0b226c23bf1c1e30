import type { TensorHeader } from '../../graph/tensorHeader.ts';
import { isContiguous } from '../execution/emitter.ts';
import { operand, type TapeNode } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** A part of another tensor: its gradient goes to that part. A part of a cache: to whoever wrote it (`setRows.ts`). */
export const view: OperatorRule = {
  operator: 'VIEW',
  refusal(node) {
    const { root } = node;
    const fits = root === null || root.kind !== 'node' || isWhole(node) || (isContiguous(root.header) && node.header.nb[0] === 4);
    return fits ? null : 'it looks at part of a tensor that does not lie in one piece';
  },
  backward(context, node, gradient) {
    const { emit } = context;
    const source = operand(node, 0);
    if (source.kind === 'cache') {
      context.noteCacheRead(source, { view: node, gradient });
      return;
    }
    if (source.kind !== 'node') return;
    if (isWhole(node)) {
      context.accumulate(source, emit.reshape(gradient, source.header.ne));
      return;
    }
    const root = node.root ?? source;
    const before = context.collected(root);
    const base = before === null ? emit.filledLike(context.value(root), 0) : emit.contiguous(before);
    const [, ...strides] = node.header.nb;
    context.replace(root, emit.accumulateAt(base, emit.contiguous(gradient), strides, node.header.viewOffset));
  },
};

/** The same elements in the same order as what it is a view of. */
export function isWhole(node: TapeNode): boolean {
  const source = operand(node, 0).header;
  return node.header.viewOffset === source.viewOffset && runs(node.header) === runs(source);
}

/** Strides and counts with neighbouring axes joined where they follow each other without a gap. */
function runs({ ne, nb }: TensorHeader): string {
  const joined: { stride: number; count: number }[] = [];
  for (let axis = 0; axis < 4; axis++) {
    const [count, stride] = [ne[axis] as number, nb[axis] as number];
    if (count === 1) continue;
    const last = joined.at(-1);
    if (last !== undefined && stride === last.stride * last.count) last.count *= count;
    else joined.push({ stride, count });
  }
  return JSON.stringify(joined);
}
