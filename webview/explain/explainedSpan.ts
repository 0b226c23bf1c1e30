/** Which response tokens the current target reads. */
import type { Explanation } from '../../src/shared/explanation.ts';

/** First and last token, both included; null when the target is not part of the response. */
export function explainedSpan(explanation: Pick<Explanation, 'target' | 'response'>): readonly [number, number] | null {
  const { target, response } = explanation;
  if (response.tokens.length === 0) return null;
  if (target.span !== undefined) return target.span;
  if (target.kind === 'response') return [0, response.tokens.length - 1];
  return target.kind === 'next' && response.source === 'generated' ? [0, 0] : null;
}
