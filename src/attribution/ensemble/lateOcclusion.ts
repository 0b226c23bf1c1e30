import type { AttributionInput, AttributionOptions } from '../method.ts';
import { evaluateSequences, sharedPasses } from '../perturbation/evaluateSequences.ts';
import { tokenRemover } from '../perturbation/withoutTokens.ts';

export interface LateEffects {
  /** f(prompt) − f(prompt without the unit), in the target's unit, by unit index. */
  readonly effects: ReadonlyMap<number, number>;
  readonly forwardPasses: number;
  /** What counts against the budget: the passes, had the model held the beginning. */
  readonly budgeted: number;
}

/**
 * Leave-one-out of the last of the given units, as many as a budget buys: what follows a late unit is short, so its exact effect
 * costs a small part of a forward pass. The words before the answer decide its form, and a gradient underrates them.
 * The target's value on the prompt was read just before, so a model that holds what it read last still knows the beginning they share
 * with it. One that shares beginnings and holds none reads it once more: one pass beyond the budget, so that both are asked for the
 * same units and draw the same picture.
 * @param candidates unit indices in the order of the text
 * @param budget forward passes behind the beginning
 */
export async function lateOcclusion(
  input: AttributionInput,
  candidates: readonly number[],
  budget: number,
  { signal }: AttributionOptions = {},
): Promise<LateEffects> {
  const without = await tokenRemover(input);
  const full = Int32Array.from(input.tokens, (token) => token.id);
  const { target } = input;
  const { info } = input.model;
  const cost = (prompts: readonly Int32Array[], holdsBeginnings: boolean) =>
    sharedPasses({ ...info, holdsBeginnings }, prompts, full.length, target.continuation.length, full);
  const chosen: number[] = [];
  let prompts: Int32Array[] = [];
  let budgeted = 0;
  for (const unit of candidates.toReversed()) {
    const extended = [...prompts, without(input.units[unit]?.tokens ?? [])];
    const extendedCost = cost(extended, true);
    if (extendedCost > budget) break;
    chosen.push(unit);
    budgeted = extendedCost;
    prompts = extended;
  }
  const values = await evaluateSequences(input.model, prompts, target, signal === undefined ? {} : { signal });
  return {
    effects: new Map(chosen.map((unit, index) => [unit, input.value - (values[index] as number)])),
    forwardPasses: cost(prompts, info.holdsBeginnings),
    budgeted,
  };
}
