import { intsAttribute, stringAttribute } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** What was added is cut off again: padding by the negated widths. */
export const pad = ofFirstOutput((node, gradient, { builder, shapes, add, refusal }) => {
  const mode = stringAttribute(node, 'mode', 'constant');
  if (mode !== 'constant') throw refusal(`it pads by ${mode}, and only constants are handled`);
  const given = intsAttribute(node, 'pads');
  add(inputOf(node, 0), () => {
    if (given !== null) return builder.node('Pad', [gradient], { pads: given.map((width) => -width) });
    const widths = inputOf(node, 1);
    const known = shapes.wholeNumbers(widths);
    const negated = known === null ? builder.node('Neg', [widths]) : builder.ints(...known.map((width) => -width));
    const axes = inputOf(node, 3);
    return builder.node('Pad', axes === '' ? [gradient, negated] : [gradient, negated, '', axes]);
  });
});
