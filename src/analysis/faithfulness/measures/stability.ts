import type { TextRange } from '../../../shared/tokens.ts';
import type { Measure } from '../measure.ts';
import { type MeasuredGain, measuredGain } from '../measuredGain.ts';
import { meanOf } from '../interval.ts';
import { mostRankings, picturesOf } from '../rankings.ts';
import { spearman } from '../../../attribution/spearman.ts';

/**
 * Sensitivity to changes that mean nothing (Yeh et al. 2019, arXiv 1901.09392, section 4, with text for noise): how well the order
 * of the units survives. It needs the method to run again, so it is not one of `measures`.
 */
export const stability: Pick<Measure, 'id' | 'label' | 'better' | 'unit'> = {
  id: 'stability',
  label: 'Rank correlation with the scores of the same prompt with other white space and quotation marks',
  better: 'higher',
  unit: 'none',
};

/** A change to a run of the author's text; `first`: it is the first run. The end of the prompt, where the answer is read, stays. */
type TextChange = (text: string, first: boolean) => string;

const textChanges: readonly TextChange[] = [
  (text, first) => (first ? `\n${text}` : text),
  (text) => text.replace(/\n(?=\s*\S)/g, '\n\n'),
  (text) => text.replace(/([.!?]) (?=\S)/g, '$1  '),
  (text) => text.replace(/"([^"\n]*)"/g, '“$1”').replace(/(?<=\w)'(?=\w)/g, '’'),
];

export interface ChangedText {
  readonly text: string;
  /** Where the template's text stands now. */
  readonly templateRanges: readonly TextRange[];
}

/** The prompt under each change that changes it; text of the chat template stays as it is. */
export function changedTexts(text: string, templateRanges: readonly TextRange[]): ChangedText[] {
  return textChanges.map((change) => changed(text, templateRanges, change)).filter((variant) => variant.text !== text);
}

function changed(text: string, templateRanges: readonly TextRange[], change: TextChange): ChangedText {
  let result = '';
  let from = 0;
  let first = true;
  const moved: TextRange[] = [];
  const author = (to: number): void => {
    if (to <= from) return;
    result += change(text.slice(from, to), first);
    first = false;
  };
  for (const { start, end } of templateRanges) {
    author(start);
    moved.push({ start: result.length, end: result.length + end - start });
    result += text.slice(start, end);
    from = end;
  }
  author(text.length);
  return { text: result, templateRanges: moved };
}

/**
 * @param scores [units]
 * @param again [changes][units] scores of the changed prompts, not empty
 * @param ranked units that are compared
 */
export function stabilityOf(
  scores: ArrayLike<number>,
  again: readonly ArrayLike<number>[],
  ranked: readonly number[],
  seed: number,
): MeasuredGain {
  const of = (values: ArrayLike<number>) => ranked.map((unit) => values[unit] ?? 0);
  const pictures = picturesOf({ scores, signed: true, seed }, ranked, mostRankings);
  const values = pictures.map((picture) => meanOf(again.map((other) => spearman(of(picture.scores), of(other)))));
  return measuredGain(stability, values, seed);
}
