import type { PatternStatistics } from './patternStatistics.ts';

export interface HeadLabel {
  readonly name: string;
  /** The share of attention that speaks for it, 0 to 1. */
  readonly score: number;
}

type Score = 'sink' | 'self' | 'previous' | 'duplicate' | 'induction' | 'sameWord';

/** From these shares on a head is called so; what it rests on comes after what it does. See docs/inside/heads.md for where they come from. */
export const labelThresholds: readonly { readonly score: Score; readonly name: string; readonly atLeast: number }[] = [
  { score: 'induction', name: 'induction head', atLeast: 0.3 },
  { score: 'duplicate', name: 'duplicate-token head', atLeast: 0.3 },
  { score: 'previous', name: 'previous-token head', atLeast: 0.4 },
  { score: 'sameWord', name: 'same-word head', atLeast: 0.4 },
  { score: 'self', name: 'self head', atLeast: 0.5 },
  { score: 'sink', name: 'sink head', atLeast: 0.7 },
];

/** What a head does, by its attention on the prompt, or on the repeated sequence where that was run. The most telling label first. */
export function headLabels(onPrompt: PatternStatistics, onRepeated: PatternStatistics | null): HeadLabel[] {
  return labelThresholds.flatMap(({ score, name, atLeast }): HeadLabel[] => {
    // Sink, self and words mean something on real text only.
    const source = onRepeated !== null && ['induction', 'duplicate', 'previous'].includes(score) ? onRepeated : onPrompt;
    const found = source[score];
    return found !== null && found >= atLeast ? [{ name, score: found }] : [];
  });
}
