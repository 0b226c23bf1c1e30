/** Rotations stop when what is off the diagonal is this share of the whole. */
const precision = 1e-12;
const mostSweeps = 60;

export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** [n, n], row i belongs to value i; orthonormal. */
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix [n, n] by cyclic Jacobi rotations (Golub and Van Loan, *Matrix Computations*,
 * algorithm 8.5.3).
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const scale = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += 2 * at(a, n, p, q) ** 2;
    if (off <= precision ** 2 * scale) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, index) => index).sort((i, j) => at(a, n, j, j) - at(a, n, i, i));
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let row = 0; row < n; row++) vectors[to * n + row] = at(v, n, row, from);
  });
  return { values: Float64Array.from(order, (index) => at(a, n, index, index)), vectors };
}

/** Turns the plane of axes p and q until the entry between them is 0. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const between = at(a, n, p, q);
  if (between === 0) return;
  const theta = (at(a, n, q, q) - at(a, n, p, p)) / (2 * between);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, c, s);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k, c, s);
  for (let k = 0; k < n; k++) turn(v, k * n + p, k * n + q, c, s);
}

function turn(values: Float64Array, p: number, q: number, c: number, s: number): void {
  const [x, y] = [values[p] as number, values[q] as number];
  values[p] = c * x - s * y;
  values[q] = s * x + c * y;
}

function at(values: Float64Array, n: number, row: number, column: number): number {
  return values[row * n + column] as number;
}
