import type { Unit } from '../../shared/tokens.ts';
import { buildUnits } from '../../shared/units.ts';
import type { ToolPrompt } from '../tools/tool.ts';

/** The words of a prompt that its author wrote: no control tokens, nothing of the chat template, no white space. */
export function authorWords({ text, tokens, sections, templateRanges }: ToolPrompt): Unit[] {
  return buildUnits(text, tokens, 'word', { sections, templateRanges }).filter(
    ({ kind, label, start, end }) => kind === 'text' && label.trim() !== '' && start < end,
  );
}
