/** One number a token out of a gradient by the embeddings, as the golden files have them. */

export interface TokenScores {
  /** ‖g‖ */
  readonly l2: number[];
  /** g · x */
  readonly gxi: number[];
}

/** @param gradient [T, D] @param embeddings [T, D] */
export function tokenScores(gradient: Float32Array, embeddings: Float32Array, hidden: number): TokenScores {
  const scores: TokenScores = { l2: [], gxi: [] };
  for (let start = 0; start < gradient.length; start += hidden) {
    const own = gradient.subarray(start, start + hidden);
    scores.l2.push(Math.sqrt(innerProduct(own, own)));
    scores.gxi.push(innerProduct(own, embeddings.subarray(start, start + hidden)));
  }
  return scores;
}

function innerProduct(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < b.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return innerProduct(a, b) / Math.sqrt(innerProduct(a, a) * innerProduct(b, b));
}

/** Spearman's ρ of values without ties. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [ranks(a), ranks(b)];
  const squares = left.reduce((sum, rank, index) => sum + (rank - (right[index] as number)) ** 2, 0);
  return 1 - (6 * squares) / (a.length * (a.length ** 2 - 1));
}

function ranks(values: readonly number[]): Float64Array {
  const order = Array.from(values.keys()).sort((x, y) => (values[x] as number) - (values[y] as number));
  const ranked = new Float64Array(values.length);
  order.forEach((index, rank) => {
    ranked[index] = rank;
  });
  return ranked;
}
