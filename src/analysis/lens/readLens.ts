import type { Model } from '../../model/model.ts';
import { callOptions } from '../activations/captureSites.ts';
import type { LensVectors, VectorRequest } from './lensVectors.ts';
import { type LensCell, logitLens, type LensReport } from './logitLens.ts';

/** Numbers of captured vectors held at once, 256 MB. */
const heldFloats = 64 * 1024 * 1024;

export interface LensReading {
  readonly rows: readonly Omit<LensVectors['rows'][number], 'vectors'>[];
  readonly report: LensReport;
  /** The target's token at each position. */
  readonly targets: readonly number[];
  readonly isSum: boolean;
  readonly forwardPasses: number;
}

/**
 * A whole lens, as many layers at a time as fit: one forward pass for each such group, which is one for all but very long prompts or
 * very large models.
 * @throws as `streamVectors` and `logitLens`
 */
export async function readLens(
  { tokens, layers, positions }: VectorRequest,
  how: {
    readonly model: Model;
    /** Rows that a layer has: heads, where single ones are read; default 1. */
    readonly rowsOfLayer?: number;
    readonly vectorsOf: (request: VectorRequest) => Promise<LensVectors>;
    /** @param predicted what the model predicts last, for targets that name no token */
    readonly targetOf: (predicted: number) => (position: number) => number;
    readonly top: number;
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number) => void;
    readonly heldFloats?: number;
  },
): Promise<LensReading> {
  const { model, top, signal } = how;
  const { hidden } = model.info;
  // Captured whole, then at the asked positions; of a head its input stands beside what it writes.
  const { rowsOfLayer = 1 } = how;
  const perLayer = hidden * (2 * tokens.length + (rowsOfLayer > 1 ? 2 * rowsOfLayer * positions.length : 0));
  const perPass = Math.max(1, Math.floor((how.heldFloats ?? heldFloats) / perLayer));
  const rows: LensReading['rows'][number][] = [];
  const cells: (readonly LensCell[])[] = [];
  let final: readonly LensCell[] = [];
  let targets: readonly number[] | null = null;
  let [isSum, forwardPasses] = [true, 0];
  for (let first = 0; first < layers.length; first += perPass) {
    const group = layers.slice(first, first + perPass);
    const vectors = await how.vectorsOf({ tokens, layers: group, positions });
    if (targets === null) {
      const read = [{ top: 1 }];
      const [last] = await model.unembed({ rows: vectors.final.slice(-hidden), read }, callOptions(signal));
      const targetOf = how.targetOf(last?.top[0]?.id ?? 0);
      targets = positions.map((position) => targetOf(position));
    }
    const next = positions.map((position) => tokens[position + 1] ?? null);
    const before = first;
    const report = await logitLens(
      model,
      vectors,
      { targets, next, top },
      {
        signal,
        onPosition: (done, total) =>
          how.onProgress(
            before * positions.length + Math.round((done / total) * group.length * positions.length),
            layers.length * positions.length,
          ),
      },
    );
    rows.push(...vectors.rows.map(({ layer, head }) => (head === undefined ? { layer } : { layer, head })));
    cells.push(...report.cells);
    final = report.final;
    isSum &&= vectors.isSum;
    forwardPasses++;
  }
  return { rows, report: { final, cells }, targets: targets ?? [], isSum, forwardPasses };
}
