import { numeric } from '../../shared/errorCatalog.ts';
import type { AttributionInput, AttributionMethod, AttributionOptions } from '../method.ts';
import { shownUnits } from '../scoredUnits.ts';
import { seededRandom } from '../seededRandom.ts';
import { evaluateSequences, sharedPasses } from './evaluateSequences.ts';

/** Proposals at each place. */
const proposals = 8;

/**
 * Replacement by the model's own proposals, after ReAGent (Zhao & Shan 2024, arXiv 2402.00794): random sets of units are replaced by
 * tokens that the model itself finds likely at their places, so prompts stay near to what it knows. Score = mean fall of the target
 * where the unit was replaced minus where it was not; signed, in the target's unit. See docs/methods/reagent.md.
 */
export const reagent: AttributionMethod = {
  id: 'reagent',
  family: 'perturbation',
  label: 'Replacement by proposals (ReAGent)',
  assumption:
    'Words are replaced by ones the model would have expected there. Fair to the model; a word it expects changes little.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Prompts with replacements', default: 64, minimum: 2, maximum: 4096, whole: true },
    { id: 'share', label: 'Share of units replaced in each', default: 0.3, minimum: 0.05, maximum: 0.95 },
  ],
  cost: (_units, sharesBeginnings) => (sharesBeginnings ? 50 : 65),

  async attribute(input, options = {}) {
    const { units, tokens, target, parameters } = input;
    const scored = shownUnits(units);
    const random = seededRandom(input.seed);
    const proposed = await proposedTokens(input, options);
    const chosen = Array.from({ length: Number(parameters['samples']) }, () =>
      scored.map(() => random() < Number(parameters['share'])),
    );
    const prompts = chosen.map((replaced) => {
      const prompt = Int32Array.from(tokens, (token) => token.id);
      scored.forEach((unit, place) => {
        if (replaced[place] !== true) return;
        for (const token of units[unit]?.tokens ?? []) {
          const others = proposed[token] ?? [];
          prompt[token] = others[Math.floor(random() * others.length)] ?? (prompt[token] as number);
        }
      });
      return prompt;
    });
    let done = 0;
    const values = await evaluateSequences(input.model, prompts, target, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onValue: () => options.onProgress?.(++done, prompts.length),
    });
    const scores = new Float32Array(units.length);
    scored.forEach((unit, place) => {
      scores[unit] = contrastOf(values, (sample) => chosen[sample]?.[place] === true);
    });
    const behind = target.continuation.length;
    const proposing = tokens.length / (tokens.length + behind);
    const forwardPasses = proposing + sharedPasses(input.model.info, prompts, tokens.length, behind);
    return { scores, forwardPasses, warnings: [] };
  },
};

/** At each place the tokens the model finds most likely there, its own left out; nothing for the first, which nothing precedes. */
async function proposedTokens({ model, tokens }: AttributionInput, { signal }: AttributionOptions): Promise<number[][]> {
  const ids = Int32Array.from(tokens, (token) => token.id);
  const { read, nonFinite } = await model.forward(
    { tokens: ids, read: Array.from(ids.subarray(1), (_, position) => ({ position, ids: [], top: proposals + 1 })) },
    signal === undefined ? {} : { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  return [[], ...read.map(({ top }, index) => top.map(({ id }) => id).filter((id) => id !== ids[index + 1]))];
}

/** Mean value of samples without minus mean of those with the mark: how much the target falls where it is set; 0 where one side is empty. */
function contrastOf(values: Float64Array, isMarked: (sample: number) => boolean): number {
  const sums = [0, 0];
  const counts = [0, 0];
  values.forEach((value, sample) => {
    const side = isMarked(sample) ? 1 : 0;
    sums[side] = (sums[side] as number) + value;
    counts[side] = (counts[side] as number) + 1;
  });
  const [without = 0, marked = 0] = counts;
  return without === 0 || marked === 0 ? 0 : (sums[0] as number) / without - (sums[1] as number) / marked;
}
