import { addBroadcast } from './arithmetic.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

export const expand = ofFirstOutput((node, gradient, context) => {
  addBroadcast(context, node, inputOf(node, 0), () => gradient);
});
