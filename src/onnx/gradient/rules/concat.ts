import { intAttribute } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** Each input's part is cut out again. */
export const concat = ofFirstOutput((node, gradient, { builder, shapes, add, isActive }) => {
  const axis = shapes.axis(inputOf(node, 0), intAttribute(node, 'axis', 1));
  const parts = node.inputs.filter((input) => shapes.fixedSize(input, axis) !== 0);
  const [only] = parts;
  if (only !== undefined && parts.length === 1) {
    add(only, () => gradient);
    return;
  }
  const sizes = parts.map((part) => shapes.fixedSize(part, axis));
  const fixed = sizes.filter((size) => size !== null);
  if (fixed.length === parts.length && parts.every(isActive)) {
    const pieces = builder.split(gradient, axis, fixed);
    parts.forEach((part, i) => add(part, () => pieces[i] ?? ''));
    return;
  }
  // Whole numbers as long as they are known, then computed.
  let start = { known: 0, name: builder.ints(0) };
  for (const part of parts) {
    const size = shapes.fixedSize(part, axis);
    const known = size === null ? Number.NaN : start.known + size;
    const end = Number.isNaN(known) ? builder.add(start.name, shapes.size(part, axis)) : builder.ints(known);
    const from = start.name;
    add(part, () => builder.node('Slice', [gradient, from, end, builder.ints(axis)]));
    start = { known, name: end };
  }
});
