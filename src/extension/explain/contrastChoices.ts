/** What could have stood in place of a token of the response. */
import type { Explanation } from '../../shared/explanation.ts';

export type ResponseToken = Explanation['response']['tokens'][number];

/** The response token that is explained, or the first of several; 0 where the target is none of them. */
export function explainedToken({ target, response }: Pick<Explanation, 'target' | 'response'>): number {
  const at = target.span?.[0] ?? 0;
  return at < response.tokens.length ? at : 0;
}

/** Most likely first, without the token itself and without texts that are empty (control tokens): those cannot be asked for by text. */
export function otherTokens(token: ResponseToken): ResponseToken['alternatives'] {
  return token.alternatives
    .filter((other) => other.id !== token.id && other.text !== '' && other.text !== token.text)
    .sort((a, b) => b.logprob - a.logprob);
}

/** A token in a quick pick: line breaks and tabs are shown, and `$(…)` is text, not an icon. */
export function tokenLabel(text: string): string {
  const visible = text.replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/\$\(/g, '\\$(');
  return `‘${visible}’`;
}
