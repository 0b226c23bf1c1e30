/** Ridge regression from vectors to vectors, from sums that are collected as data comes: y ≈ W x + b. */

/** y = W x + b; `weights` [D, D] row-major (a row for each output), `bias` [D]. */
export interface AffineMap {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export class AffineFit {
  readonly #width: number;
  /** Σ x xᵀ (lower half) and Σ x yᵀ, [D, D]; Σ x and Σ y. */
  readonly #xx: Float64Array;
  readonly #xy: Float64Array;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  #count = 0;

  constructor(width: number) {
    this.#width = width;
    this.#xx = new Float64Array(width * width);
    this.#xy = new Float64Array(width * width);
    this.#x = new Float64Array(width);
    this.#y = new Float64Array(width);
  }

  /** One pair of vectors, [D] each. */
  add(x: Float32Array, y: Float32Array): void {
    const width = this.#width;
    const [xx, xy] = [this.#xx, this.#xy];
    for (let i = 0; i < width; i++) {
      const value = x[i] as number;
      this.#x[i] = (this.#x[i] as number) + value;
      this.#y[i] = (this.#y[i] as number) + (y[i] as number);
      const row = i * width;
      for (let j = 0; j <= i; j++) xx[row + j] = (xx[row + j] as number) + value * (x[j] as number);
      for (let j = 0; j < width; j++) xy[row + j] = (xy[row + j] as number) + value * (y[j] as number);
    }
    this.#count++;
  }

  /**
   * The map with the least Σ ‖y − W x − b‖² + ridge · N · Σ (W σ)², σ the spread of each input: inputs count as if they were
   * standardised, and the bias is free.
   */
  solve(ridge: number): AffineMap {
    const width = this.#width;
    const n = this.#count;
    const mean = (sums: Float64Array, i: number) => (sums[i] as number) / n;
    const spread = Float64Array.from({ length: width }, (_, i) =>
      Math.sqrt(Math.max(0, (this.#xx[i * width + i] as number) / n - mean(this.#x, i) ** 2)),
    );
    // An input that never changes says nothing.
    const scale = spread.map((value) => (value > 0 ? 1 / value : 0));
    const gram = new Float64Array(width * width);
    const right = new Float64Array(width * width);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        if (j <= i) {
          const covariance = (this.#xx[i * width + j] as number) / n - mean(this.#x, i) * mean(this.#x, j);
          gram[i * width + j] = covariance * (scale[i] as number) * (scale[j] as number) + (i === j ? ridge : 0);
        }
        const covariance = (this.#xy[i * width + j] as number) / n - mean(this.#x, i) * mean(this.#y, j);
        right[i * width + j] = covariance * (scale[i] as number);
      }
    }
    solveCholesky(gram, right, width);
    const weights = new Float32Array(width * width);
    const bias = Float32Array.from({ length: width }, (_, j) => mean(this.#y, j));
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        const weight = (right[i * width + j] as number) * (scale[i] as number);
        weights[j * width + i] = weight;
        bias[j] = (bias[j] as number) - weight * mean(this.#x, i);
      }
    }
    return { weights, bias };
  }
}

/**
 * X with A X = B, in place of B; A [n, n] symmetric and positive definite by its lower half, which is overwritten; B [n, n]. Inner loops
 * run along rows, which is what makes it quick.
 */
function solveCholesky(a: Float64Array, b: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number);
      a[i * n + j] = i === j ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / (a[j * n + j] as number);
    }
  }
  const subtract = (row: number, other: number, factor: number) => {
    for (let column = 0; column < n; column++) {
      b[row * n + column] = (b[row * n + column] as number) - factor * (b[other * n + column] as number);
    }
  };
  const divide = (row: number, by: number) => {
    for (let column = 0; column < n; column++) b[row * n + column] = (b[row * n + column] as number) / by;
  };
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtract(i, k, a[i * n + k] as number);
    divide(i, a[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtract(i, k, a[k * n + i] as number);
    divide(i, a[i * n + i] as number);
  }
}

/** Rows [N, D] through the map. */
export function applyMap({ weights, bias }: AffineMap, rows: Float32Array): Float32Array {
  const width = bias.length;
  const result = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row += width) {
    for (let j = 0; j < width; j++) {
      let sum = bias[j] as number;
      for (let i = 0; i < width; i++) sum += (weights[j * width + i] as number) * (rows[row + i] as number);
      result[row + j] = sum;
    }
  }
  return result;
}

/** Each row [D] divided by its root mean square: the last norm takes the size away again, and sinks would outweigh everything. */
export function unitRows(rows: Float32Array, width: number): Float32Array {
  const result = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row += width) {
    const own = rows.subarray(row, row + width);
    const size = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0) / width);
    for (let i = 0; i < width; i++) result[row + i] = size === 0 ? 0 : (own[i] as number) / size;
  }
  return result;
}
