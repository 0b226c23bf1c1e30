/** What the History view says of an entry. */
import type { Translate } from '../translate.ts';
import { tokenLabel } from '../explain/contrastChoices.ts';
import type { HistoryEntry } from './historyEntry.ts';

/** The explained answer and how the prompt begins. */
export function entryTitle({ explanation, prompt }: HistoryEntry): string {
  const { selection } = prompt;
  const text = selection === undefined ? prompt.text : prompt.text.slice(selection.start, selection.end);
  const start = text.replaceAll(/\s+/g, ' ').trim();
  const characters = [...start];
  return `${tokenLabel(explanation.target.label)} — ${characters.length > 60 ? `${characters.slice(0, 59).join('')}…` : start}`;
}

/** `null`: not measured. */
export function verdictText(verdict: 'trusted' | 'weak' | 'untrusted' | null, t: Translate): string {
  switch (verdict) {
    case 'trusted':
      return t('trusted');
    case 'weak':
      return t('weak');
    case 'untrusted':
      return t('do not trust');
    case null:
      return t('not measured');
  }
}
