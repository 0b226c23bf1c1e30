/** The prompt itself, tinted by score. Without colours every marked word carries its step instead: `France[+5]`. */
import { type PaletteStep, paletteStep } from '../../shared/colourScale.ts';
import type { Explanation } from '../../shared/explanation.ts';
import { heatRuns, largestTextScore } from './heatRuns.ts';
import type { Theme } from './theme.ts';
import { visibleLines } from './visibleText.ts';
import { type Span, wrapSpans } from './wrapSpans.ts';

const plain = (text: string) => text;

/** @returns lines of at most `columns` columns */
export function heatMap(explanation: Pick<Explanation, 'prompt' | 'units' | 'scores'>, theme: Theme, columns: number): string[] {
  const largest = largestTextScore(explanation);
  const spans = heatRuns(explanation).flatMap((run): Span[] => {
    const text = visibleLines(run.text);
    // Template and control tokens are not the author's words: shown, never tinted.
    if (run.kind !== 'text') return [{ text, paint: theme.dim }];
    const step = run.score === null ? 0 : paletteStep(run.score, largest);
    return step === 0 ? [{ text, paint: plain }] : marked(text, step, theme);
  });
  return wrapSpans(spans, columns);
}

/** White space around a word stays untinted. */
function marked(text: string, step: PaletteStep, theme: Theme): Span[] {
  const [, before = '', word = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(text) ?? [];
  if (word === '') return [{ text, paint: plain }];
  const mark = theme.level === 0 ? `[${stepLabel(step)}]` : '';
  return [
    { text: before, paint: plain },
    { text: word + mark, paint: theme.step(step) },
    { text: after, paint: plain },
  ].filter(({ text: part }) => part !== '');
}

/** `+3`, `−2`: a real minus sign, as wide as the plus. */
export function stepLabel(step: PaletteStep): string {
  return step < 0 ? `−${-step}` : step > 0 ? `+${step}` : '0';
}
