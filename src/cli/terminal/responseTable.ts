/** The response, token by token: probability and what the model would rather have said. */
import { padWidth } from './displayWidth.ts';
import { percentOfLogprob } from './numbers.ts';
import type { Theme } from './theme.ts';
import { visibleText } from './visibleText.ts';

interface ResponseToken {
  readonly text: string;
  readonly logprob: number;
  readonly alternatives: readonly { readonly text: string; readonly logprob: number }[];
}

/** @param explained `[from, to]`, both included: the tokens the target reads, marked with ▸ */
export function responseTable(tokens: readonly ResponseToken[], theme: Theme, explained?: readonly [number, number]): string[] {
  return tokens.map((token, index) => {
    const marker = explained !== undefined && index >= explained[0] && index <= explained[1] ? '▸' : ' ';
    const others = token.alternatives
      .filter(({ text }) => text !== token.text)
      .slice(0, 3)
      .map(({ text, logprob }) => `${tokenText(text)} ${percentOfLogprob(logprob)}`)
      .join(', ');
    const line = `${marker}${String(index).padStart(4)}  ${padWidth(tokenText(token.text), 18)}${percentOfLogprob(token.logprob).padStart(8)}`;
    return others === '' ? line : `${line}  ${theme.dim(`else ${others}`)}`;
  });
}

/** A token in quotation marks, since its leading space matters. */
export function tokenText(text: string): string {
  return `“${visibleText(text)}”`;
}
