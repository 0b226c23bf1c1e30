import type { AttributionInput, AttributionOptions } from '../method.ts';
import { evaluateSequences, sharedPasses } from '../perturbation/evaluateSequences.ts';
import { tokenRemover } from '../perturbation/withoutTokens.ts';

/**
 * Leave-one-out of the last of the given units, as many as a budget buys: what follows a late unit is short, so its exact effect
 * costs a small part of a forward pass. The words before the answer decide its form, and a gradient underrates them.
 * The target's value on the prompt was read just before, so a model that holds what it read last still knows the beginning they share with it.
 * @param candidates unit indices in the order of the text
 * @param budget forward passes
 * @returns effects: f(prompt) − f(prompt without the unit), in the target's unit, by unit index
 */
export async function lateOcclusion(
  input: AttributionInput,
  candidates: readonly number[],
  budget: number,
  { signal }: AttributionOptions = {},
): Promise<{ readonly effects: ReadonlyMap<number, number>; readonly forwardPasses: number }> {
  const without = await tokenRemover(input);
  const full = Int32Array.from(input.tokens, (token) => token.id);
  const { target } = input;
  const { info } = input.model;
  const held = info.holdsBeginnings ? full : new Int32Array(0);
  const cost = (prompts: readonly Int32Array[]) => sharedPasses(info, prompts, full.length, target.continuation.length, held);
  const chosen: number[] = [];
  let prompts: Int32Array[] = [];
  for (const unit of candidates.toReversed()) {
    const extended = [...prompts, without(input.units[unit]?.tokens ?? [])];
    if (cost(extended) > budget) break;
    chosen.push(unit);
    prompts = extended;
  }
  const values = await evaluateSequences(input.model, prompts, target, signal === undefined ? {} : { signal });
  return {
    effects: new Map(chosen.map((unit, index) => [unit, input.value - (values[index] as number)])),
    forwardPasses: cost(prompts),
  };
}
