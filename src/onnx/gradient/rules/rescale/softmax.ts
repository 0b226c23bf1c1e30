import { normalisedAxes } from '../softmax.ts';
import { inputOf, ofFirstOutput, outputOf, type RuleContext } from '../rule.ts';
import { slope } from './secant.ts';

/** Keeps the logarithm of a probability of 0, of a masked key, finite; far below any other. */
const floor = 1e-37;

/** L = (p − p₀) / (log p − log p₀) of probabilities and their logarithms, both runs of each. */
function logarithmicMean({ builder }: RuleContext, p: readonly [string, string], logarithms: readonly [string, string]): string {
  const middle = builder.multiply(builder.add(...p), builder.number(0.5));
  return slope(builder, logarithms, p, middle);
}

/**
 * p = softmax z: Δp = L Δlog p, with L the logarithmic mean of p and p₀, and Δlog p = Δz − Δlogsumexp z. Since Σ Δp = 0,
 * Δlogsumexp z = Σ L Δz / Σ L. So it is the derivative with L in place of p, normalised.
 */
export const softmax = ofFirstOutput((node, gradient, context) => {
  const { builder, reference, add } = context;
  const y = outputOf(node);
  const axes = normalisedAxes(context, node);
  add(inputOf(node, 0), () => {
    const raised = (p: string) => builder.add(p, builder.number(floor));
    const p = [raised(y), raised(reference(y))] as const;
    const means = logarithmicMean(context, p, [builder.node('Log', [p[0]]), builder.node('Log', [p[1]])]);
    const shares = builder.divide(means, builder.sum(means, axes));
    const centred = builder.subtract(gradient, builder.sum(builder.multiply(gradient, shares), axes));
    return builder.multiply(means, centred);
  });
});

/** Δlog p = Δz − Σ L Δz / Σ L */
export const logSoftmax = ofFirstOutput((node, gradient, context) => {
  const { builder, reference, add } = context;
  const y = outputOf(node);
  const axes = normalisedAxes(context, node);
  add(inputOf(node, 0), () => {
    const logarithms = [y, reference(y)] as const;
    const p = [builder.node('Exp', [y]), builder.node('Exp', [reference(y)])] as const;
    const means = logarithmicMean(context, p, logarithms);
    const spread = builder.divide(builder.sum(gradient, axes), builder.sum(means, axes));
    return builder.subtract(gradient, builder.multiply(means, spread));
  });
});
