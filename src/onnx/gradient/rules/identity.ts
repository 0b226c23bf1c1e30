import { inputOf, ofFirstOutput } from './rule.ts';

/** Identity, Dropout (which does nothing outside training), Cast between floats or from whole numbers that stand for floats. */
export const identity = ofFirstOutput((node, gradient, { add }) => add(inputOf(node, 0), () => gradient));
