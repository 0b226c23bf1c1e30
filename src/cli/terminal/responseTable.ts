/** The response, token by token: probability and what the model would rather have said. */
import { displayWidth, fitWidth, padWidth } from './displayWidth.ts';
import { percentOfLogprob } from './numbers.ts';
import type { Theme } from './theme.ts';
import { visibleText } from './visibleText.ts';

interface ResponseToken {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
  readonly alternatives: readonly { readonly id: number; readonly text: string; readonly logprob: number }[];
}

const rows = 16;

/** @param explained `[from, to]`, both included: the tokens the target reads, marked with ▸ */
export function responseTable(
  tokens: readonly ResponseToken[],
  theme: Theme,
  columns: number,
  explained?: readonly [number, number],
): string[] {
  const lines = tokens.slice(0, rows).map((token, index) => {
    const marker = explained !== undefined && index >= explained[0] && index <= explained[1] ? '▸' : ' ';
    const others = token.alternatives
      .filter(({ id }) => id !== token.id)
      .slice(0, 3)
      .map(({ text, logprob }) => `${tokenText(text)} ${percentOfLogprob(logprob)}`)
      .join(', ');
    const line = `${marker}${String(index).padStart(4)}  ${padWidth(tokenText(token.text), 18)}${percentOfLogprob(token.logprob).padStart(8)}`;
    const room = columns - displayWidth(line) - 2;
    return others === '' || room < 10 ? line : `${line}  ${theme.dim(fitWidth(`else ${others}`, room))}`;
  });
  if (tokens.length > rows) lines.push(theme.dim(`      … and ${tokens.length - rows} more, all in --json`));
  return lines;
}

/** A token in quotation marks, since its leading space matters. */
export function tokenText(text: string): string {
  return `“${visibleText(text)}”`;
}
