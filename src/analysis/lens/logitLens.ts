import type { Model, UnembedRead, UnembedResult } from '../../model/model.ts';
import { callOptions } from '../activations/captureSites.ts';
import type { LensVectors } from './lensVectors.ts';

/** What a lens shows at one place. */
export interface LensCell {
  /** Log-probabilities in nats. */
  readonly top: readonly { readonly id: number; readonly logprob: number }[];
  /** Of the target asked for at this position: 1 = most likely; log-probability in nats. */
  readonly targetRank: number;
  readonly targetLogprob: number;
  /** Rank of the token that really follows; null behind the last one. */
  readonly nextRank: number | null;
  /** Nats. */
  readonly entropy: number;
  /** KL(the model's own prediction here ‖ this row's), nats. */
  readonly kl: number;
}

export interface LensQuestion {
  /** The target's token at each position. */
  readonly targets: readonly number[];
  /** What really follows each position; null where nothing does. */
  readonly next: readonly (number | null)[];
  /** Tokens listed. */
  readonly top: number;
}

export interface LensReport {
  /** What the model itself predicts at each position. */
  readonly final: readonly LensCell[];
  /** [rows][positions] */
  readonly cells: readonly (readonly LensCell[])[];
}

/** Rows of logits asked for in one call: bounds what crosses to the model's thread, and how long one call takes. */
const rowsPerCall = 512;

/**
 * The logit lens (nostalgebraist 2020): the last norm and the unembedding, applied to vectors from inside the model. Position by position,
 * so that only a few rows of logits exist at any time: each position's own prediction first, then all rows against it.
 * @param onPosition told as positions are done
 * @throws as `Model.unembed`
 */
export async function logitLens(
  model: Model,
  { final, rows, finalRow }: LensVectors,
  { targets, next, top }: LensQuestion,
  options: { readonly signal?: AbortSignal; readonly onPosition?: (done: number, total: number) => void } = {},
): Promise<LensReport> {
  const { hidden } = model.info;
  const count = targets.length;
  const others = rows.map((_, row) => row).filter((row) => row !== finalRow);
  const stacked = [final, ...others.map((row) => (rows[row] as LensVectors['rows'][number]).vectors)];
  const perCall = Math.max(1, Math.floor(rowsPerCall / stacked.length));
  const own: LensCell[] = [];
  const cells = rows.map((): LensCell[] => []);
  for (let first = 0; first < count; first += perCall) {
    const positions = Array.from({ length: Math.min(perCall, count - first) }, (_, index) => first + index);
    const values = new Float32Array(positions.length * stacked.length * hidden);
    const read: UnembedRead[] = [];
    for (const position of positions) {
      const following = next[position] ?? null;
      const ids = [targets[position] as number, ...(following === null ? [] : [following])];
      const reference = read.length;
      stacked.forEach((vectors, place) => {
        values.set(vectors.subarray(position * hidden, (position + 1) * hidden), read.length * hidden);
        read.push({ ids, top, entropy: true, ...(place === 0 ? {} : { reference }) });
      });
    }
    const results = await model.unembed({ rows: values, read }, callOptions(options.signal));
    results.forEach((result, index) => {
      const place = index % stacked.length;
      const cell = cellOf(result);
      if (place > 0) cells[others[place - 1] as number]?.push(cell);
      else {
        own.push(cell);
        if (finalRow !== undefined) cells[finalRow]?.push(cell);
      }
    });
    options.onPosition?.(first + positions.length, count);
  }
  return { final: own, cells };
}

function cellOf({ logSumExp, logits, ranks, top, entropy = 0, divergence = 0 }: UnembedResult): LensCell {
  return {
    top: top.map(({ id, logit }) => ({ id, logprob: logit - logSumExp })),
    targetRank: ranks[0] as number,
    targetLogprob: (logits[0] as number) - logSumExp,
    nextRank: ranks[1] ?? null,
    entropy,
    kl: divergence,
  };
}
