import { auroc } from '../statistics/auroc.ts';

/** What the model said of one case. */
export interface LabelledAnswer {
  /** Index of the right class. */
  readonly label: number;
  /** Probability of each class among the classes. */
  readonly probabilities: readonly number[];
}

/**
 * How well the model tells two classes apart (the paper's measured confusion): among the cases of either class, the area under the ROC of
 * p_i / (p_i + p_j). 1: never mixed up; 0.5: not told apart.
 * @returns [classes, classes], symmetric, diagonal 1; NaN where one of the two has no case
 */
export function measuredConfusion(answers: readonly LabelledAnswer[], classes: number): Float64Array {
  const result = new Float64Array(classes * classes).fill(1);
  for (let i = 0; i < classes; i++) {
    for (let j = 0; j < i; j++) {
      const both = answers.filter(({ label }) => label === i || label === j);
      const share = both.map(({ probabilities }) => shareOf(probabilities[i] ?? 0, probabilities[j] ?? 0));
      const found = auroc(
        share,
        both.map(({ label }) => label === i),
      );
      result[i * classes + j] = result[j * classes + i] = found?.area ?? Number.NaN;
    }
  }
  return result;
}

function shareOf(a: number, b: number): number {
  return a + b > 0 ? a / (a + b) : 0.5;
}
