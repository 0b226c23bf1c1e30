/** The explained number as the engine takes it to weight attention by its gradient. */
import type { Explanation } from '../../shared/explanation.ts';
import type { AttentionWeighting } from '../../shared/protocol/engine.ts';
import type { TargetSpec } from '../../shared/target.ts';

/**
 * The same target on the same response: one that was generated is generated again, greedily and no longer than it was.
 * Null without an explanation.
 */
export function attentionWeighting(explanation: Explanation | null, target: TargetSpec | null): AttentionWeighting | null {
  if (explanation === null || target === null) return null;
  const { response, method } = explanation;
  return {
    target,
    score: explanation.target.score,
    maxTokens: Math.max(1, response.tokens.length),
    ...(response.source === 'given' ? { response: response.text } : {}),
    seed: method.seed,
  };
}
