/** Operators that only move numbers: other axes, parts, rows. */
import { integerParameter, operand, type TapeTensor } from '../tape/tape.ts';
import { isWhole } from '../rules/view.ts';
import { addAt, type PlainRule } from './plainRule.ts';
import { forEachElement } from './plainTensor.ts';

/** The same elements in the same order. */
export const sameElements: PlainRule = ({ gradientOf }, node, gradient) => {
  const result = gradientOf(operand(node, 0));
  gradient.forEach((upstream, index) => addAt(result, index, upstream));
};

export const permute: PlainRule = ({ value, gradientOf }, node, gradient) => {
  const axes = [0, 1, 2, 3].map((axis) => integerParameter(node, axis));
  move({ value, gradientOf }, operand(node, 0), node.header.ne, axes, gradient);
};

export const transpose: PlainRule = ({ value, gradientOf }, node, gradient) => {
  move({ value, gradientOf }, operand(node, 0), node.header.ne, [1, 0, 2, 3], gradient);
};

/** Axis i of the source is axis `axes[i]` of the result. */
function move(
  { value, gradientOf }: Pick<Parameters<PlainRule>[0], 'value' | 'gradientOf'>,
  source: TapeTensor,
  target: readonly [number, number, number, number],
  axes: readonly number[],
  gradient: Float64Array,
): void {
  const result = gradientOf(source);
  const strides = [1, target[0], target[0] * target[1], target[0] * target[1] * target[2]];
  forEachElement(value(source).ne, (index, ...at) => {
    const place = at.reduce((sum, count, axis) => sum + count * (strides[axes[axis] as number] as number), 0);
    addAt(result, index, gradient[place] as number);
  });
}

/** All of the operand in its order, or a part: that adds to whatever owns the memory, a node that lies in one piece or a cache. */
export const view: PlainRule = (context, node, gradient) => {
  const { gradientOf } = context;
  if (operand(node, 0).kind === 'node' && isWhole(node)) {
    sameElements(context, node, gradient);
    return;
  }
  const result = gradientOf(node.root ?? operand(node, 0));
  const { ne, nb, viewOffset } = node.header;
  forEachElement(ne, (index, x, y, z, w) => {
    addAt(result, (viewOffset + x * nb[0] + y * nb[1] + z * nb[2] + w * nb[3]) / 4, gradient[index] as number);
  });
};

/** The cache's gradient, gathered from the rows that were written. */
export const setRows: PlainRule = ({ value, needs, gradientOf }, node) => {
  const [source, rows] = [operand(node, 0), operand(node, 1)];
  if (!needs(source) || node.root === null) return;
  const cells = gradientOf(node.root);
  const written = value(rows).data;
  const { ne, nb } = node.header;
  const result = gradientOf(source);
  for (let row = 0; row * ne[0] < result.length; row++) {
    for (let index = 0; index < ne[0]; index++) {
      addAt(result, row * ne[0] + index, cells[((written[row] as number) * nb[1]) / 4 + index] as number);
    }
  }
};

export const getRows: PlainRule = ({ value, needs, gradientOf }, node, gradient) => {
  const [source, rows] = [operand(node, 0), operand(node, 1)];
  if (!needs(source)) return;
  const [x, picked] = [value(source), value(rows)];
  const result = gradientOf(source);
  forEachElement(node.header.ne, (index, column, row, matrix) => {
    const from = picked.data[matrix * picked.ne[0] + row] as number;
    addAt(result, (matrix * x.ne[1] + from) * x.ne[0] + column, gradient[index] as number);
  });
};

export const concatenate: PlainRule = ({ needs, gradientOf }, node, gradient) => {
  const axis = integerParameter(node, 0);
  const { ne } = node.header;
  let before = 0;
  for (const source of node.sources) {
    if (source === null) continue;
    const shape = source.header.ne;
    const result = needs(source) ? gradientOf(source) : null;
    forEachElement(shape, (index, ...at) => {
      const [x, y, z, w] = at.map((count, place) => (place === axis ? count + before : count)) as [
        number,
        number,
        number,
        number,
      ];
      if (result !== null) addAt(result, index, gradient[x + ne[0] * (y + ne[1] * (z + ne[2] * w))] as number);
    });
    before += shape[axis] as number;
  }
};
