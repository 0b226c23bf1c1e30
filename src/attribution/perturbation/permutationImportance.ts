import type { Unit } from '../../shared/tokens.ts';
import type { AttributionMethod } from '../method.ts';
import { estimatedMean } from '../meanInterval.ts';
import { shownUnits } from '../scoredUnits.ts';
import { seededRandom } from '../seededRandom.ts';
import { evaluateSequences, sharedPasses } from './evaluateSequences.ts';

/**
 * Permutation importance (Breiman 2001; Fisher et al. 2019, arXiv 1801.01489) on places of one prompt: a unit changes places with
 * another one, several times; score = mean fall of the target, in its unit, with a 95 % interval. Nothing is removed, so it tells
 * whether the unit must stand where it stands. See docs/methods/permutation-importance.md.
 */
export const permutationImportance: AttributionMethod = {
  id: 'permutation-importance',
  family: 'perturbation',
  label: 'Permutation importance',
  assumption: 'What happens when this unit changes places with another. All words stay; only the order is lost.',
  needs: ['forward'],
  parameters: [{ id: 'repeats', label: 'Exchanges of each unit', default: 5, minimum: 1, maximum: 100, whole: true }],
  cost: (units, sharesBeginnings) => (sharesBeginnings ? 3 : 5) * units,

  async attribute(input, options = {}) {
    const { units, tokens, target } = input;
    const scored = shownUnits(units);
    const repeats = scored.length < 2 ? 0 : Number(input.parameters['repeats']);
    const random = seededRandom(input.seed);
    const ids = tokens.map((token) => token.id);
    const prompts = scored.flatMap((_, place) =>
      Array.from({ length: repeats }, () => {
        const other = (place + 1 + Math.floor(random() * (scored.length - 1))) % scored.length;
        const pair = [units[scored[place] as number] as Unit, units[scored[other] as number] as Unit];
        return exchanged(ids, pair);
      }),
    );
    let done = 0;
    const values = await evaluateSequences(input.model, prompts, target, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onValue: () => options.onProgress?.(++done, prompts.length),
    });
    const scores = new Float32Array(units.length);
    const intervals = units.map((): [number, number] => [0, 0]);
    scored.forEach((unit, place) => {
      const falls = Array.from(values.subarray(place * repeats, (place + 1) * repeats), (value) => input.value - value);
      if (falls.length === 0) return;
      const { mean, interval } = estimatedMean(falls);
      scores[unit] = mean;
      intervals[unit] = interval;
    });
    return {
      scores,
      ...(repeats > 1 ? { intervals } : {}),
      forwardPasses: sharedPasses(input.model.info, prompts, ids.length, target.continuation.length),
      warnings: [],
    };
  },
};

/** The prompt with the tokens of two units in each other's place. */
function exchanged(ids: readonly number[], pair: readonly Unit[]): Int32Array {
  const [first, second] = pair.toSorted((a, b) => (a.tokens[0] ?? 0) - (b.tokens[0] ?? 0)) as [Unit, Unit];
  const of = ({ tokens }: Unit) => tokens.map((token) => ids[token] as number);
  const start = (unit: Unit) => unit.tokens[0] ?? 0;
  const end = (unit: Unit) => (unit.tokens.at(-1) ?? -1) + 1;
  return Int32Array.from([
    ...ids.slice(0, start(first)),
    ...of(second),
    ...ids.slice(end(first), start(second)),
    ...of(first),
    ...ids.slice(end(second)),
  ]);
}
