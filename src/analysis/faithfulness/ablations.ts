import { withoutTokens } from '../../attribution/perturbation/withoutTokens.ts';
import type { Unit } from '../../shared/tokens.ts';

/** The prompt that the checks start from. */
export interface AblatedPrompt {
  /** Token ids. */
  readonly ids: Int32Array;
  readonly units: readonly Unit[];
  /** Stands for a prompt of which nothing is left. */
  readonly emptyToken: number;
}

/** ⌈fraction · count⌉, not thrown off by a product like 0.1 · 30 = 3.0000000000000004. */
export function topCount(fraction: number, count: number): number {
  return Math.min(count, Math.ceil(fraction * count - 1e-9));
}

/** The token ids without those of some units: deleted, positions close up, nothing else changes. */
export function withoutUnits({ ids, units, emptyToken }: AblatedPrompt, gone: readonly number[]): Int32Array {
  return withoutTokens(
    ids,
    gone.flatMap((unit) => units[unit]?.tokens ?? []),
    emptyToken,
  );
}
