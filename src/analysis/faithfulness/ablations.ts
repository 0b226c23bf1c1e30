import type { Unit } from '../../shared/tokens.ts';

/** The prompt that the checks start from, and what a ranking ranks. */
export interface AblatedPrompt {
  /** Token ids. */
  readonly ids: Int32Array;
  readonly units: readonly Unit[];
  /** Stands for a prompt of which nothing is left. */
  readonly emptyToken: number;
}

/** One ranking's question: what is left when its top units are dropped, and when of all ranked units only they are kept. */
export interface Ablation {
  readonly dropped: Int32Array;
  readonly kept: Int32Array;
}

/**
 * One pair of prompts for each fraction q: without the top ⌈q·U⌉ ranked units, and with only those of the ranked ones
 * (DeYoung et al. 2020, arXiv 1911.03429). Tokens are deleted, positions close up; what is not ranked always stays.
 */
export function ablations(prompt: AblatedPrompt, ranking: readonly number[], fractions: readonly number[]): Ablation[] {
  return fractions.map((fraction) => {
    const count = topCount(fraction, ranking.length);
    return {
      dropped: withoutUnits(prompt, ranking.slice(0, count)),
      kept: withoutUnits(prompt, ranking.slice(count)),
    };
  });
}

/** ⌈fraction · count⌉, not thrown off by a product like 0.1 · 30 = 3.0000000000000004. */
export function topCount(fraction: number, count: number): number {
  return Math.min(count, Math.ceil(fraction * count - 1e-9));
}

function withoutUnits({ ids, units, emptyToken }: AblatedPrompt, gone: readonly number[]): Int32Array {
  const dropped = new Set(gone.flatMap((unit) => units[unit]?.tokens ?? []));
  const left = ids.filter((_id, index) => !dropped.has(index));
  return left.length > 0 ? left : Int32Array.of(emptyToken);
}
