import type { Explanation } from '../../shared/explanation.ts';

/** A run of the prompt's text that belongs to one unit, or to none (white space between units). */
export interface TextRun {
  readonly text: string;
  readonly unit: number | null;
}

/** The prompt's text cut at the borders of its units; the runs joined give the text again. Units over the same text share the first one's run. */
export function textRuns({ prompt, units }: Explanation): TextRun[] {
  const runs: TextRun[] = [];
  let at = 0;
  units.forEach((unit, index) => {
    const start = Math.max(at, Math.min(unit.start, prompt.text.length));
    const end = Math.min(unit.end, prompt.text.length);
    if (end <= start) return;
    if (start > at) runs.push({ text: prompt.text.slice(at, start), unit: null });
    runs.push({ text: prompt.text.slice(start, end), unit: index });
    at = end;
  });
  if (at < prompt.text.length) runs.push({ text: prompt.text.slice(at), unit: null });
  return runs;
}
