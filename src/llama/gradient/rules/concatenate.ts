import { integerParameter, type TapeTensor } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

export const concatenate: OperatorRule = {
  operator: 'CONCAT',
  backward({ emit, accumulate, needs }, node, gradient) {
    const axis = integerParameter(node, 0);
    const upstream = emit.contiguous(gradient);
    let offset = 0;
    for (const source of node.sources) {
      if (source === null) continue;
      const [, ...strides] = upstream.nb;
      if (needs(source)) accumulate(source, emit.contiguous(emit.view(upstream, source.header.ne, strides, offset)));
      offset += width(source, axis) * (upstream.nb[axis] as number);
    }
  },
};

function width({ header }: TapeTensor, axis: number): number {
  return header.ne[axis] as number;
}
