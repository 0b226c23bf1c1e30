import type { AttentionParts } from './headOutputs.ts';

/**
 * How much of a position's state behind attention comes from each token: y_i = Σ_j T_i(x_j) + bias, with T_i(x_j) what all heads read from
 * j, and for j = i also what stood there before. A token contributes as far as its part is near the whole (Ferrando et al. 2022,
 * arXiv 2203.04212, equations 9 and 10): max(0, ‖y‖₁ − ‖y − T‖₁), shared out so that a row adds up to 1.
 * @returns [row + 1]
 */
export function rowContributions(
  { before, added, pattern, outputs }: Pick<AttentionParts, 'before' | 'added' | 'pattern' | 'outputs'>,
  row: number,
): Float64Array {
  const size = Math.sqrt(pattern.length / outputs.length);
  const width = before.length / size;
  const stayed = before.subarray(row * width, (row + 1) * width);
  const whole = Float64Array.from(stayed, (value, d) => value + (added[row * width + d] as number));
  const norm = whole.reduce((sum, value) => sum + Math.abs(value), 0);
  const contributions = new Float64Array(row + 1);
  const rest = new Float64Array(width);
  for (let key = 0; key <= row; key++) {
    for (let d = 0; d < width; d++) rest[d] = (whole[d] as number) - (key === row ? (stayed[d] as number) : 0);
    outputs.forEach((output, head) => {
      const share = pattern[(head * size + row) * size + key] as number;
      for (let d = 0; d < width; d++) rest[d] = (rest[d] as number) - share * (output[key * width + d] as number);
    });
    contributions[key] = Math.max(0, norm - rest.reduce((sum, value) => sum + Math.abs(value), 0));
  }
  const total = contributions.reduce((sum, contribution) => sum + contribution, 0);
  if (total > 0) return contributions.map((contribution) => contribution / total);
  // Nothing is near the whole: the state is taken for its own.
  contributions[row] = 1;
  return contributions;
}
