/** The question an explanation answers, put so that another model is asked for the same answer. */
import type { Explanation } from '../../shared/explanation.ts';
import type { ExplainRequest } from '../../shared/protocol/engine.ts';
import type { TargetSpec } from '../../shared/target.ts';

/**
 * Tokens are another model's own: what is explained is told as text where it stands at the start of the response. A later part of it
 * keeps its place by tokens; the response is given, so that both read the same one.
 */
export function sameQuestion(
  { target, response }: Pick<Explanation, 'target' | 'response'>,
  asked: TargetSpec,
): Pick<ExplainRequest, 'target' | 'response'> {
  const given = response.text === '' ? {} : { response: response.text };
  if (asked.kind === 'next' && target.label !== '') return { ...given, target: { kind: 'text', text: target.label } };
  if (asked.kind === 'span' && asked.from === 0) {
    const tokens = response.tokens.slice(0, asked.to + 1);
    return { ...given, target: { kind: 'text', text: tokens.map(({ text }) => text).join('') } };
  }
  return { ...given, target: asked };
}
