import { inputOf, ofFirstOutput, outputOf } from './rule.ts';

/** Reshape, Flatten, Squeeze, Unsqueeze: the same elements in the same order. */
export const reshape = ofFirstOutput((node, gradient, { add, shapes }) => {
  const x = inputOf(node, 0);
  add(x, () => shapes.reshapeTo(gradient, shapes.dims(outputOf(node)), x));
});
