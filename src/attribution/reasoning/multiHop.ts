import type { GradientTarget } from '../../model/gradient.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import { sumByShownUnit } from '../scoredUnits.ts';
import { precisionParameter, wholeSequence } from '../gradient/promptGradient.ts';
import { rowNorms } from '../gradient/saliency.ts';
import { targetGradients } from '../gradient/targetGradients.ts';
import { throughThoughts } from './throughThoughts.ts';

/**
 * Attribution through the model's own words: the answer depends on the prompt and on what the model wrote before it, and each of those
 * tokens on the prompt and on what it wrote before that. Every dependence is a row of shares (sizes of gradients, adding up to 1), and
 * what falls on a written token is passed on to what that token depended on, until everything is on the prompt. Unsigned; scores are
 * shares. See docs/methods/multi-hop.md.
 */
export const multiHop: AttributionMethod = {
  id: 'multi-hop',
  family: 'reasoning',
  label: 'Multi-hop (through the model’s own words)',
  assumption: 'Which words of the prompt the answer goes back to, by way of what the model wrote before it. No direction.',
  needs: ['gradient'],
  parameters: [{ id: 'norm', label: 'Norm of the gradient', default: 'l2', choices: ['l2', 'l1'] }, precisionParameter],
  isUnsigned: () => true,
  // A backward pass for the answer and for each token before it; a response has 32 tokens by default.
  cost: () => 34,

  async attribute(input, options = {}) {
    const { tokens, target, units, parameters } = input;
    const thoughts = thoughtTokens(input);
    const targets: GradientTarget[] = [
      ...thoughts.map((id, index) => thoughtTarget(tokens.length, id, index)),
      target.gradient(tokens.length),
    ];
    const rows: Float64Array[] = [];
    const spent = await targetGradients(
      input,
      { sequence: wholeSequence(input), targets },
      // What the answer says of its own earlier tokens is no cause outside it.
      (_index, gradient) => rows.push(rowNorms(gradient, tokens.length + thoughts.length, String(parameters.norm))),
      options,
    );
    const { origins, direct } = throughThoughts(rows, tokens.length);
    const scores = sumByShownUnit(units, origins.at(-1) ?? []);
    const perThought = origins.slice(0, -1).map((origin) => [...sumByShownUnit(units, origin)]);
    return {
      scores,
      ...spent,
      scoreUnit: 'share',
      findings: { throughThoughts: Math.min(1, Math.max(0, 1 - direct)) },
      ...(thoughts.length === 0
        ? {}
        : { matrix: { rows: thoughts.map((_id, index) => index), scores: perThought, unit: 'share' } }),
      warnings: [],
    };
  },
};

/** Response tokens before the first one that the target reads. */
function thoughtTokens({ target }: Pick<AttributionInput, 'target'>): number[] {
  return [...target.continuation.subarray(0, target.description.span?.[0] ?? 0)];
}

/** The log-probability of response token `index`, which was read one position before its own. */
function thoughtTarget(promptLength: number, id: number, index: number): GradientTarget {
  return { kind: 'logprob', terms: [{ position: promptLength - 1 + index, id, weight: 1 }] };
}
