import { intAttribute } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** Summed from the other end. */
export const cumulativeSum = ofFirstOutput((node, gradient, { builder, add }) => {
  const attributes = { exclusive: intAttribute(node, 'exclusive', 0), reverse: 1 - intAttribute(node, 'reverse', 0) };
  add(inputOf(node, 0), () => builder.node('CumSum', [gradient, inputOf(node, 1)], attributes));
});
