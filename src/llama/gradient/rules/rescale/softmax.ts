import { floatParameter, operand } from '../../tape/tape.ts';
import type { OperatorRule } from '../rule.ts';
import { meanOf } from './mean.ts';
import { slope } from './secant.ts';

/** Keeps the logarithm of a probability of 0, of a masked key, finite; far below any other. */
const floor = 1e-37;

/**
 * p = softmax(scale · x + mask): Δp = L Δlog p, with L the logarithmic mean of p and p₀, and Δlog p = Δz − Δlogsumexp z. Since Σ Δp = 0,
 * Δlogsumexp z = Σ L Δz / Σ L. So it is the derivative with L in place of p, normalised.
 */
export const softmax: OperatorRule = {
  operator: 'SOFT_MAX',
  backward(context, node, gradient) {
    const { emit, accumulate } = context;
    const y = [context.value(node), context.reference(node)].map((p) => emit.scale(p, 1, floor)) as [
      ReturnType<typeof emit.scale>,
      ReturnType<typeof emit.scale>,
    ];
    const x = y.map((p) => emit.logarithm(p)) as typeof y;
    const means = slope(emit, { x, y }, meanOf(context, ...y));
    const shares = emit.divide(means, emit.sumRows(means));
    const upstream = emit.contiguous(gradient);
    const centred = emit.subtract(upstream, emit.sumRows(emit.multiply(upstream, shares)));
    accumulate(operand(node, 0), emit.scale(emit.multiply(means, centred), floatParameter(node, 0)));
  },
};
