/** Interventions on the text of a prompt: do(span := value), everything else as it stands (Pearl 2009, Causality, section 3.2). */
import { seedFor } from '../../attribution/seededRandom.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { TextRange } from '../../shared/tokens.ts';
import type { ToolPrompt } from '../tools/tool.ts';
import { meanInterval, meanOf } from '../faithfulness/interval.ts';

const id = 'intervene';
const slot = '{{}}';

/** Where what is set stands: a variable by its name in braces, wherever it was filled in; words where they stand. @throws as `spanIn` */
export function placesOf(
  { text, sections }: Pick<ToolPrompt, 'text' | 'sections'>,
  span: string,
): readonly [TextRange, ...TextRange[]] {
  const name = /^\{\{\s*(.+?)\s*\}\}$/u.exec(span.trim())?.[1];
  const [first, ...others] = sections
    .filter(({ kind, label }) => kind === 'variable' && label === name)
    .map(({ start, end }) => ({ start, end }));
  return first === undefined ? [spanIn(text, span)] : [first, ...others];
}

/** @throws E_TOOL_PARAMETER when the words stand nowhere, or more than once */
export function spanIn(text: string, span: string): TextRange {
  const refuse = (why: string, action: string) => toolParameter(id, 'span', why, action);
  const start = text.indexOf(span);
  if (start < 0) {
    throw refuse(`the prompt does not contain ${JSON.stringify(span)}`, 'give words as they stand in the prompt');
  }
  if (text.includes(span, start + 1)) {
    throw refuse(
      `${JSON.stringify(span)} stands in the prompt more than once`,
      'give more words around it, so that one place is meant',
    );
  }
  return { start, end: start + span.length };
}

/** What is put in place of the span, without repetitions and the span itself. @throws E_TOOL_PARAMETER */
export function valuesOf(text: string, span: string): string[] {
  const values = text.split('|');
  if (values.some((value) => value.trim() === '')) {
    throw toolParameter(id, 'values', 'one of them is empty', 'write texts separated by |: England|Germany');
  }
  const others = [...new Set(values)].filter((value) => value !== span);
  if (others.length === 0) throw toolParameter(id, 'values', 'they are the span itself', 'give at least one other text');
  return others;
}

/**
 * Lines of the file of samples, each as the texts before and behind its one slot: `{{}}`, or the span's own words.
 * @throws E_TOOL_PARAMETER with the number of the line that has none, or several
 */
export function sampleLines(file: string, span: string): (readonly [string, string])[] {
  return file.split('\n').flatMap((content, index) => {
    const line = content.replace(/\r$/u, '');
    if (line.trim() === '') return [];
    const parts = line.split(line.includes(slot) ? slot : span);
    if (parts.length === 2) return [parts as [string, string]];
    const why = parts.length === 1 ? 'has no place for the value' : 'has several places for the value';
    throw toolParameter(id, 'samples', `line ${index + 1} ${why}`, `write ${slot} or ${JSON.stringify(span)} once in each line`);
  });
}

export interface AverageEffect {
  readonly mean: number;
  /** 95 %, by bootstrap over the samples; null for a single one, which says nothing of the spread. */
  readonly interval: readonly [number, number] | null;
}

/** The mean of a − b over samples that were measured under both. @param a [samples] @param b [samples] */
export function averageEffect(a: readonly number[], b: readonly number[], seed: number): AverageEffect {
  const differences = a.map((value, sample) => value - (b[sample] as number));
  const interval = differences.length < 2 ? null : meanInterval(differences, seedFor('average effect', seed));
  return { mean: meanOf(differences), interval };
}
