import type { GradientTarget } from '../../model/gradient.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';

/**
 * The same tokens as logits: a log-probability or a probability is no sum over the residual stream, the logits in it are.
 * @throws E_TOOL_PARAMETER for targets that name no token
 */
export function logitTarget(target: ResolvedTarget, tool: string): ResolvedTarget {
  return {
    ...target,
    gradient: (promptLength): GradientTarget => {
      const asked = target.gradient(promptLength);
      if ('terms' in asked) return { kind: 'logit', terms: asked.terms };
      throw toolParameter(
        tool,
        'target',
        `${target.description.label} is no sum of logits`,
        'ask for a token, a text, a response or a contrast',
      );
    },
  };
}
