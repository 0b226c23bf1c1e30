/** Cuts a prompt's text into what the panel draws: tinted units, the plain text between them, and marks where text is hidden. */
import type { Explanation } from '../../src/shared/explanation.ts';

export type PromptPiece =
  | { readonly type: 'gap'; readonly text: string }
  /** `fragment`: the unit shares its characters with the one before (several tokens to a character). */
  | { readonly type: 'unit'; readonly unit: number; readonly text: string; readonly fragment: boolean }
  /** Hidden template text stood here; `label` names the message that follows, empty when none does. */
  | { readonly type: 'boundary'; readonly label: string };

/** Pieces in reading order. Special and template units are left out unless asked for; a sink is the author's text and stays. */
export function layoutPrompt(
  explanation: Pick<Explanation, 'units'> & { readonly prompt: Pick<Explanation['prompt'], 'text' | 'sections'> },
  showHidden: boolean,
): PromptPiece[] {
  const { text, sections } = explanation.prompt;
  const order = explanation.units
    .map((unit, index) => ({ unit, index }))
    .sort((a, b) => a.unit.start - b.unit.start || a.index - b.index);
  const pieces: PromptPiece[] = [];
  let cursor = 0;
  let hidden = false;
  for (const { unit, index } of order) {
    if (!showHidden && (unit.kind === 'special' || unit.kind === 'template')) {
      if (unit.start > cursor && !hidden) pushGap(pieces, text.slice(cursor, unit.start));
      cursor = Math.max(cursor, unit.end);
      hidden = true;
      continue;
    }
    if (hidden) pushBoundary(pieces, messageAt(sections, unit.start));
    else pushGap(pieces, text.slice(cursor, unit.start));
    hidden = false;
    const fragment = unit.end <= cursor;
    const own = fragment ? unit.label : text.slice(Math.max(cursor, unit.start), unit.end);
    const core = own.trim();
    const lead = core === '' ? '' : own.slice(0, own.indexOf(core));
    pushGap(pieces, lead);
    pieces.push({ type: 'unit', unit: index, text: core === '' ? own : core, fragment });
    pushGap(pieces, core === '' ? '' : own.slice(lead.length + core.length));
    cursor = Math.max(cursor, unit.end);
  }
  if (!hidden) pushGap(pieces, text.slice(cursor));
  return pieces;
}

function pushGap(pieces: PromptPiece[], text: string): void {
  if (text !== '') pieces.push({ type: 'gap', text });
}

function pushBoundary(pieces: PromptPiece[], label: string): void {
  const last = pieces.at(-1);
  if (last?.type === 'gap' && last.text.trim() === '') pieces.pop();
  pieces.push({ type: 'boundary', label });
}

function messageAt(sections: Explanation['prompt']['sections'], offset: number): string {
  const message = sections.find((section) => section.kind === 'message' && section.start <= offset && offset < section.end);
  return message === undefined ? '' : (message.role ?? message.label);
}
