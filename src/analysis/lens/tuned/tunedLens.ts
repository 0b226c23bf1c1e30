import type { Model } from '../../../model/model.ts';
import { cancelled } from '../../../shared/errorCatalog.ts';
import { streamVectors } from '../lensVectors.ts';
import { logitLens } from '../logitLens.ts';
import { AffineFit, type AffineMap, applyMap, unitRows } from './affineFit.ts';

/** One affine map a layer, from what leaves it to what leaves the last one, rows of size 1. */
export interface TunedLens {
  /** [L − 1]: the last layer needs none. */
  readonly maps: readonly AffineMap[];
  /** Tokens it was fitted to. */
  readonly tokens: number;
  /** [L − 1] mean KL(final ‖ layer) on text that was held out, nats: by the plain lens, and by this one. */
  readonly plain: readonly number[];
  readonly tuned: readonly number[];
}

export interface TrainingOptions {
  readonly ridge: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Tokens read together, at most; the first of each window is a sink and is left out. */
const windowTokens = 256;
/** Of every so many windows one is held out, and of it every so many positions are measured. */
const heldOutEvery = 5;
const measuredEvery = 16;

/**
 * The tuned lens (Belrose et al. 2023, arXiv 2303.08112) by ridge regression instead of gradient descent: for each layer the affine map
 * that comes nearest to what stands behind the last layer. Windows of the text in turn; every fifth is held out and says how far it helped.
 * @param ids at least four tokens: two windows, one to fit and one to hold out
 * @throws as `streamVectors` and `logitLens`; E_CANCELLED
 */
export async function trainTunedLens(model: Model, ids: Int32Array, options: TrainingOptions): Promise<TunedLens> {
  const { hidden, layers } = model.info;
  const { signal, onProgress } = options;
  const windows = windowsOf(ids, Math.min(windowTokens, model.info.contextLength, Math.ceil(ids.length / 2)));
  const { fitted, heldOut } = splitWindows(windows);
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const fits = all.slice(1).map(() => new AffineFit(hidden));
  const total = fitted.length + 2;
  let tokens = 0;
  for (const [index, window] of fitted.entries()) {
    const positions = Array.from({ length: window.length - 1 }, (_, position) => position + 1);
    const { final, rows } = await streamVectors(model, 'resid_post', { tokens: window, layers: all, positions }, signal);
    const wanted = unitRows(final, hidden);
    for (const [layer, fit] of fits.entries()) {
      fit.add(unitRows((rows[layer] as (typeof rows)[number]).vectors, hidden), wanted);
      await pause(signal);
    }
    tokens += positions.length;
    onProgress?.(index + 1, total);
  }
  const maps: AffineMap[] = [];
  for (const fit of fits) {
    maps.push(fit.solve(options.ridge));
    await pause(signal);
  }
  onProgress?.(fitted.length + 1, total);
  const measured = await measure(model, maps, heldOut, signal);
  onProgress?.(total, total);
  return { maps, tokens, ...measured };
}

/** [rows][positions, D] of every layer but the last, read as the last layer would have them. */
export function tunedVectors(maps: readonly AffineMap[], layer: number, vectors: Float32Array, width: number): Float32Array {
  const map = maps[layer];
  return map === undefined ? vectors : applyMap(map, unitRows(vectors, width));
}

/** Mean divergence on held-out text, by plain and tuned lens. */
async function measure(
  model: Model,
  maps: readonly AffineMap[],
  windows: readonly Int32Array[],
  signal: AbortSignal | undefined,
): Promise<{ readonly plain: number[]; readonly tuned: number[] }> {
  const { hidden, layers } = model.info;
  const all = Array.from({ length: layers - 1 }, (_, layer) => layer);
  const sums = [all.map(() => 0), all.map(() => 0)] as const;
  let count = 0;
  for (const window of windows) {
    const positions = Array.from({ length: window.length - 1 }, (_, position) => position + 1).filter(
      (position) => position % measuredEvery === 0 || window.length <= measuredEvery,
    );
    if (positions.length === 0) continue;
    const vectors = await streamVectors(model, 'resid_post', { tokens: window, layers: all, positions }, signal);
    const question = { targets: positions.map(() => 0), next: positions.map(() => null), top: 1 };
    const through = vectors.rows.map((row) => ({ ...row, vectors: tunedVectors(maps, row.layer, row.vectors, hidden) }));
    for (const [which, rows] of [vectors.rows, through].entries()) {
      const { cells } = await logitLens(model, { ...vectors, rows }, question, signal === undefined ? {} : { signal });
      cells.forEach((row, layer) => {
        const into = sums[which as 0 | 1];
        into[layer] = (into[layer] as number) + row.reduce((sum, { kl }) => sum + kl, 0);
      });
    }
    count += positions.length;
  }
  const mean = (values: readonly number[]) => values.map((value) => value / count);
  return { plain: mean(sums[0]), tuned: mean(sums[1]) };
}

/** Every fifth is held out, of fewer the last. @param windows at least two */
function splitWindows(windows: readonly Int32Array[]): { readonly fitted: Int32Array[]; readonly heldOut: Int32Array[] } {
  const every = Math.min(heldOutEvery, windows.length);
  const isHeldOut = (index: number) => index % every === every - 1;
  return {
    fitted: windows.filter((_, index) => !isHeldOut(index)),
    heldOut: windows.filter((_, index) => isHeldOut(index)),
  };
}

function windowsOf(ids: Int32Array, size: number): Int32Array[] {
  const windows: Int32Array[] = [];
  for (let first = 0; first < ids.length; first += size) {
    const window = ids.slice(first, first + size);
    if (window.length > 1) windows.push(window);
  }
  return windows;
}

/** Lets messages and a cancel arrive between two pieces of arithmetic. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted === true) throw cancelled();
}
