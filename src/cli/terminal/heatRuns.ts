/** A prompt's text cut into runs that carry one score each, in reading order, the whole text exactly once. */
import type { Explanation } from '../../shared/explanation.ts';
import type { UnitKind } from '../../shared/tokens.ts';

export interface HeatRun {
  /** A piece of the prompt's text as it is, control characters and all. */
  readonly text: string;
  /** In the target's unit; null where no unit covers the text. */
  readonly score: number | null;
  readonly kind: UnitKind;
}

interface MutableRun {
  start: number;
  end: number;
  score: number;
  kind: UnitKind;
}

/** Units that overlap (tokens that hold parts of one character) become one run with the sum of their scores. */
export function heatRuns({ prompt, units, scores }: Pick<Explanation, 'prompt' | 'units' | 'scores'>): HeatRun[] {
  const covered: MutableRun[] = [];
  const ordered = units
    .map((unit, index) => ({ start: unit.start, end: unit.end, kind: unit.kind, score: scores[index] ?? 0 }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start || a.end - b.end);
  for (const unit of ordered) {
    const last = covered.at(-1);
    if (last !== undefined && unit.start < last.end) {
      last.end = Math.max(last.end, unit.end);
      last.score += unit.score;
    } else covered.push({ ...unit });
  }
  const runs: HeatRun[] = [];
  let position = 0;
  const plain = (end: number) => {
    if (end > position) runs.push({ text: prompt.text.slice(position, end), score: null, kind: 'text' });
  };
  for (const { start, end, score, kind } of covered) {
    plain(start);
    runs.push({ text: prompt.text.slice(start, end), score, kind });
    position = end;
  }
  plain(prompt.text.length);
  return runs;
}

/** The largest |score| of the author's own text: what the strongest tint stands for. */
export function largestTextScore({ units, scores }: Pick<Explanation, 'units' | 'scores'>): number {
  return units.reduce(
    (largest, { kind }, index) => (kind === 'text' ? Math.max(largest, Math.abs(scores[index] ?? 0)) : largest),
    0,
  );
}
