/** Questions to the user about what to explain. */
import * as vscode from 'vscode';
import type { Explanation } from '../../shared/explanation.ts';
import type { TargetSpec } from '../../shared/target.ts';
import { granularities, type Granularity } from '../../shared/tokens.ts';
import { granularityLabel } from '../explain/granularityLabel.ts';
import { t } from '../localise.ts';
import { askContrast } from './askContrast.ts';

/** Which number to explain; null when the user leaves. `explanation`: what is shown now. */
export async function askTarget(explanation: Explanation | null): Promise<TargetSpec | null> {
  const choices: (vscode.QuickPickItem & { readonly target: 'next' | 'response' | 'text' | 'contrast' })[] = [
    { target: 'next', label: t('Next token'), detail: t('The most likely next token.') },
    { target: 'response', label: t('Whole response'), detail: t('All generated tokens together.') },
    { target: 'text', label: t('A text of yours …'), detail: t('How likely the model finds a text you give.') },
    { target: 'contrast', label: t('Why this rather than …?'), detail: t('One answer against another.') },
  ];
  const picked = await vscode.window.showQuickPick(choices, { title: t('What to explain') });
  if (picked === undefined) return null;
  switch (picked.target) {
    case 'text': {
      const text = await vscode.window.showInputBox({
        title: t('Text to explain'),
        prompt: t('Exactly as it would follow the prompt: a leading space counts.'),
        validateInput: (value) => (value === '' ? t('Give at least one character.') : null),
      });
      return text === undefined ? null : { kind: 'text', text };
    }
    case 'contrast':
      return askContrast(explanation);
    default:
      return { kind: picked.target };
  }
}

export async function askGranularity(current: Granularity): Promise<Granularity | null> {
  const picked = await vscode.window.showQuickPick(
    granularities.map((granularity) => ({
      granularity,
      label: granularityLabel(granularity, t),
      ...(granularity === current ? { description: t('now') } : {}),
    })),
    { title: t('One score per') },
  );
  return picked?.granularity ?? null;
}
