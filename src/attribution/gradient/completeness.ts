import type { Explanation, Warning } from '../../shared/explanation.ts';
import { plainText } from '../../shared/numberText.ts';

export type Completeness = NonNullable<Explanation['completeness']>;

/** From this share on, the picture carries a warning. */
const openGap = 0.05;

/**
 * How far the scores of all prompt tokens are from adding up to what the target gains from baseline to prompt.
 * @param scores [prompt tokens], in the target's unit
 * @param values the target at the baseline and at the prompt
 */
export function completenessOf(
  scores: ArrayLike<number>,
  [baseline, prompt]: readonly [number, number],
  steps: number,
): Completeness {
  let sum = 0;
  for (let token = 0; token < scores.length; token++) sum += scores[token] as number;
  const expected = prompt - baseline;
  const gap = expected - sum;
  return { sum, expected, gap, share: expected === 0 ? null : Math.abs(gap / expected), steps };
}

/** Said where single scores cannot be read as parts of a sum. @param why and what to do, behind a colon */
export function gapWarning({ sum, expected, gap, share }: Completeness, why: string): Warning[] {
  if (share === null ? gap === 0 : share <= openGap) return [];
  const message =
    share === null
      ? `The scores add up to ${rounded(sum)} and should add up to ${rounded(expected)}: ${why}`
      : `The scores add up to ${rounded(sum)} and should add up to ${rounded(expected)}, a gap of ${Math.round(100 * share)} %: ${why}`;
  return [{ code: 'W_COMPLETENESS_GAP', message }];
}

function rounded(value: number): string {
  return plainText(Number(value.toPrecision(3)));
}
