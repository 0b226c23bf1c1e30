/** Which cells of the response × prompt matrix are drawn. Pure. */
import type { Explanation } from '../../src/shared/explanation.ts';

export interface MatrixLayout {
  /** Rows of the matrix that name a token of the response: index of the row, index of the token. */
  readonly rows: readonly { readonly row: number; readonly token: number }[];
  /** Indices of the units that are shown. */
  readonly columns: readonly number[];
  /** The |score| from which on a cell gets the strongest tint. */
  readonly maximum: number;
}

/** One scale for all cells, so that rows can be compared. Special, template and sink units only when they are shown. */
export function layoutMatrix(explanation: Explanation, showHidden: boolean, intensity: number): MatrixLayout {
  const { matrix, units, response } = explanation;
  const rows = (matrix?.rows ?? []).map((token, row) => ({ row, token })).filter(({ token }) => token < response.tokens.length);
  const columns = units.flatMap(({ kind }, index) => (showHidden || kind === 'text' ? [index] : []));
  let largest = 0;
  for (const { row } of rows) {
    for (const column of columns) {
      const score = Math.abs(matrix?.scores[row]?.[column] ?? 0);
      if (Number.isFinite(score)) largest = Math.max(largest, score);
    }
  }
  return { rows, columns, maximum: largest / intensity };
}
