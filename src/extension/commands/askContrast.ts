/** "Why this rather than …?": the two answers that are compared. */
import * as vscode from 'vscode';
import type { Explanation } from '../../shared/explanation.ts';
import type { TargetSpec } from '../../shared/target.ts';
import { explainedToken, otherTokens, tokenLabel } from '../explain/contrastChoices.ts';
import { t } from '../localise.ts';

type Pick = vscode.QuickPickItem & { readonly answer: string | null; readonly next?: 'text' | 'token' };

/** Against one of the explained token's alternatives, a text of the user's, or the alternatives of another token; null when they leave. */
export async function askContrast(explanation: Explanation | null): Promise<TargetSpec | null> {
  if (explanation === null || explanation.response.tokens.length === 0) return askContrastTexts();
  return askContrastAt(explanation.response, explainedToken(explanation));
}

async function askContrastAt(response: Explanation['response'], at: number): Promise<TargetSpec | null> {
  const token = response.tokens[at];
  if (token === undefined) return null;
  const picked = await vscode.window.showQuickPick<Pick>(
    [
      ...otherTokens(token).map((other) => ({
        label: tokenLabel(other.text),
        description: probability(other.logprob),
        answer: other.text,
      })),
      { label: '', kind: vscode.QuickPickItemKind.Separator, answer: null },
      { label: t('Another text …'), answer: null, next: 'text' },
      ...(response.tokens.length > 1
        ? [{ label: t('Another token of the response …'), answer: null, next: 'token' } as const]
        : []),
    ],
    { title: t('Why {0} rather than …?', tokenLabel(token.text)) },
  );
  if (picked === undefined) return null;
  if (picked.answer !== null) return { kind: 'contrast', a: token.text, b: picked.answer, at };
  if (picked.next === 'text') return askOtherText(token.text, at);
  const other = await askToken(response.tokens);
  return other === null ? null : askContrastAt(response, other);
}

async function askToken(tokens: Explanation['response']['tokens']): Promise<number | null> {
  const picked = await vscode.window.showQuickPick(
    tokens.map((token, at) => ({ label: tokenLabel(token.text), description: probability(token.logprob), at })),
    { title: t('Which token of the response?') },
  );
  return picked?.at ?? null;
}

/** The other answer, for an answer that is known; its first token is compared. */
export async function askOtherText(answer: string, at: number): Promise<TargetSpec | null> {
  const text = await vscode.window.showInputBox({
    title: t('… rather than …?'),
    prompt: t('The answer you expected instead.'),
    validateInput: atLeastOne,
  });
  return text === undefined ? null : { kind: 'contrast', a: answer, b: aligned(answer, text), at };
}

/** Both answers, where none is known. */
async function askContrastTexts(): Promise<TargetSpec | null> {
  const a = await vscode.window.showInputBox({
    title: t('Why this …'),
    prompt: t('The answer to explain. Its first token is compared; a leading space counts.'),
    validateInput: atLeastOne,
  });
  if (a === undefined) return null;
  return askOtherText(a, 0);
}

function atLeastOne(value: string): string | null {
  return value === '' ? t('Give at least one character.') : null;
}

/** The model's own first token usually starts with a space; a user who types a bare word means the same. */
function aligned(answer: string, other: string): string {
  return answer.startsWith(' ') && !other.startsWith(' ') ? ` ${other}` : other;
}

function probability(logprob: number): string {
  return `${(100 * Math.exp(logprob)).toFixed(1)} %`;
}
