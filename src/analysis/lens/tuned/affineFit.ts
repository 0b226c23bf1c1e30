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

  /** Pairs of vectors, [N, D] each. Columns are multiplied with columns, so that sums stay in registers while the data runs by. */
  add(xs: Float32Array, ys: Float32Array): void {
    const width = this.#width;
    const count = xs.length / width;
    const [x, y] = [columnsOf(xs, width), columnsOf(ys, width)];
    for (let i = 0; i < width; i++) {
      this.#x[i] = (this.#x[i] as number) + sumOf(x, i * count, count);
      this.#y[i] = (this.#y[i] as number) + sumOf(y, i * count, count);
      addProducts(this.#xx, i * width, i + 1, x, i * count, x, count);
      addProducts(this.#xy, i * width, width, x, i * count, y, count);
    }
    this.#count += count;
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

/** [D, N] of rows [N, D]. */
function columnsOf(rows: Float32Array, width: number): Float64Array {
  const count = rows.length / width;
  const columns = new Float64Array(rows.length);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < width; i++) columns[i * count + row] = rows[row * width + i] as number;
  }
  return columns;
}

function sumOf(values: Float64Array, from: number, count: number): number {
  let sum = 0;
  for (let at = from; at < from + count; at++) sum += values[at] as number;
  return sum;
}

/** into[at + j] += ⟨column of a at `from`, column j of b⟩ for j < `columns`; two columns at a time. */
function addProducts(
  into: Float64Array,
  at: number,
  columns: number,
  a: Float64Array,
  from: number,
  b: Float64Array,
  count: number,
): void {
  let j = 0;
  for (; j + 1 < columns; j += 2) {
    let [first, second] = [0, 0];
    const [left, right] = [j * count, (j + 1) * count];
    for (let n = 0; n < count; n++) {
      const value = a[from + n] as number;
      first += value * (b[left + n] as number);
      second += value * (b[right + n] as number);
    }
    into[at + j] = (into[at + j] as number) + first;
    into[at + j + 1] = (into[at + j + 1] as number) + second;
  }
  for (; j < columns; j++) {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += (a[from + n] as number) * (b[j * count + n] as number);
    into[at + j] = (into[at + j] as number) + sum;
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
