import { intAttribute } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** The same triangle of the gradient. */
export const trilu = ofFirstOutput((node, gradient, { builder, add }) => {
  const diagonal = inputOf(node, 1);
  const inputs = diagonal === '' ? [gradient] : [gradient, diagonal];
  add(inputOf(node, 0), () => builder.node('Trilu', inputs, { upper: intAttribute(node, 'upper', 1) }));
});
