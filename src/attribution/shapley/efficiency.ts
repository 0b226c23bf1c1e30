import { type Completeness, completenessOf } from '../gradient/completeness.ts';

/** The efficiency axiom: what all players get adds up to what they are worth together. @param evaluated coalitions that were asked for */
export function efficiencyOf(shapley: ArrayLike<number>, nobody: number, everybody: number, evaluated: number): Completeness {
  return completenessOf(shapley, [nobody, everybody], evaluated);
}
