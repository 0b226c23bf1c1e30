/** Which number to explain. One entry of the list is one question; a model is offered those it can answer. */
import * as vscode from 'vscode';
import type { Explanation } from '../../shared/explanation.ts';
import type { ModelTask } from '../../shared/modelTask.ts';
import type { TargetSpec } from '../../shared/target.ts';
import { t } from '../localise.ts';
import { askContrast } from './askContrast.ts';

interface Shown {
  /** What is shown now. */
  readonly explanation: Explanation | null;
  /** Of the loaded model; absent: a language model. */
  readonly task: ModelTask | undefined;
}

interface Question {
  readonly of: 'language' | ModelTask['kind'];
  readonly label: string;
  readonly detail: string;
  /** Null when the user leaves. */
  readonly ask: (shown: Shown) => Promise<TargetSpec | null>;
}

const questions = (): readonly Question[] => [
  {
    of: 'language',
    label: t('Next token'),
    detail: t('The most likely next token.'),
    ask: () => Promise.resolve({ kind: 'next' }),
  },
  {
    of: 'language',
    label: t('Whole response'),
    detail: t('All generated tokens together.'),
    ask: () => Promise.resolve({ kind: 'response' }),
  },
  {
    of: 'language',
    label: t('A text of yours …'),
    detail: t('How likely the model finds a text you give.'),
    ask: async () => {
      const text = await askText(t('Text to explain'), t('Exactly as it would follow the prompt: a leading space counts.'));
      return text === null ? null : { kind: 'text', text };
    },
  },
  {
    of: 'language',
    label: t('Why this rather than …?'),
    detail: t('One answer against another.'),
    ask: ({ explanation }) => askContrast(explanation),
  },
  {
    of: 'language',
    label: t('How undecided the model is'),
    detail: t('The entropy of the next token.'),
    ask: () => Promise.resolve({ kind: 'entropy' }),
  },
  {
    of: 'language',
    label: t('What differs from another prompt …'),
    detail: t('How far the next token is from what it would be after a prompt you give (KL divergence).'),
    ask: async () => {
      const prompt = await askText(t('The other prompt'), t('The whole prompt, as the model would read it.'));
      return prompt === null ? null : { kind: 'kl', prompt };
    },
  },
  {
    of: 'classify',
    label: t('Most likely class'),
    detail: t('The class the model gives the text.'),
    ask: () => Promise.resolve({ kind: 'next' }),
  },
  {
    of: 'classify',
    label: t('A class …'),
    detail: t('What speaks for one of the classes.'),
    ask: async ({ task }) => {
      const name = await askClass(task, t('Which class?'));
      return name === null ? null : { kind: 'class', name };
    },
  },
  {
    of: 'classify',
    label: t('Why this class rather than …?'),
    detail: t('One class against another.'),
    ask: async ({ task }) => {
      const a = await askClass(task, t('Why this class …'));
      const b = a === null ? null : await askClass(task, t('… rather than …?'), a);
      return a === null || b === null ? null : { kind: 'contrast', a, b };
    },
  },
  {
    of: 'embed',
    label: t('Similarity to a text …'),
    detail: t('What makes the two texts similar to the model.'),
    ask: async () => {
      const text = await askText(t('The other text'), t('The prompt is compared with it.'));
      return text === null ? null : { kind: 'similarity', text };
    },
  },
];

/** Null when the user leaves. */
export async function askTarget(shown: Shown): Promise<TargetSpec | null> {
  const kind = shown.task?.kind ?? 'language';
  const picked = await vscode.window.showQuickPick(
    questions().filter(({ of }) => of === kind),
    { title: t('What to explain') },
  );
  return (await picked?.ask(shown)) ?? null;
}

async function askText(title: string, prompt: string): Promise<string | null> {
  const text = await vscode.window.showInputBox({
    title,
    prompt,
    validateInput: (value) => (value === '' ? t('Give at least one character.') : null),
  });
  return text ?? null;
}

/** @param except a class that is not offered */
async function askClass(task: ModelTask | undefined, title: string, except?: string): Promise<string | null> {
  const labels = task?.kind === 'classify' ? task.labels : [];
  const picked = await vscode.window.showQuickPick(
    labels.filter((label) => label !== except).map((label) => ({ label })),
    { title },
  );
  return picked?.label ?? null;
}
