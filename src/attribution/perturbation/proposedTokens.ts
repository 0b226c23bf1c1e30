import { numeric } from '../../shared/errorCatalog.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';
import { shownUnits } from '../scoredUnits.ts';

/** Proposals at each place. */
const proposals = 8;

/**
 * [tokens, proposals] At each place the tokens the model finds most likely there, its own left out; nothing for the first, which nothing
 * precedes. One forward pass.
 * @throws E_NUMERIC
 */
export async function proposedTokens({ model, tokens }: AttributionInput, { signal }: AttributionOptions): Promise<number[][]> {
  const ids = Int32Array.from(tokens, (token) => token.id);
  const { read, nonFinite } = await model.forward(
    { tokens: ids, read: Array.from(ids.subarray(1), (_, position) => ({ position, ids: [], top: proposals + 1 })) },
    signal === undefined ? {} : { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  return [[], ...read.map(({ top }, index) => top.map(({ id }) => id).filter((id) => id !== ids[index + 1]))];
}

/**
 * The prompt with a proposal, drawn at random, for each token of the marked units.
 * @param isMarked of places among the scored units
 */
export function replaced(
  { tokens, units }: Pick<AttributionInput, 'tokens' | 'units'>,
  proposed: readonly (readonly number[])[],
  isMarked: (place: number) => boolean,
  random: () => number,
): Int32Array {
  const prompt = Int32Array.from(tokens, (token) => token.id);
  shownUnits(units).forEach((unit, place) => {
    if (!isMarked(place)) return;
    for (const token of units[unit]?.tokens ?? []) {
      const others = proposed[token] ?? [];
      prompt[token] = others[Math.floor(random() * others.length)] ?? (prompt[token] as number);
    }
  });
  return prompt;
}
