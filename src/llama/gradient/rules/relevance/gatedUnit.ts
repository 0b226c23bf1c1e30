import { gatedRule } from '../gatedUnit.ts';
import { identityRule } from './identity.ts';

/** f(x) · y: half of the relevance goes to y, the other half through f to the gate x. */
export const gatedUnit = gatedRule(({ emit, value: read }, activation, operands, upstream) => {
  const [gate, value] = operands(read);
  const x = emit.contiguous(gate);
  const activated = emit.unary(x, activation);
  const half = emit.scale(upstream, 0.5);
  return [identityRule(emit, emit.multiply(half, emit.contiguous(value)), x, activated), emit.multiply(half, activated)];
});
