import type { Token, Unit } from '../../shared/tokens.ts';
import { methodUnsupported } from '../../shared/errorCatalog.ts';
import type { AttributionInput, AttributionMethod, AttributionOptions } from '../method.ts';
import { isHidden } from '../scoredUnits.ts';
import { seededRandom } from '../seededRandom.ts';
import { evaluateSequences, sharedPasses } from './evaluateSequences.ts';
import { maskedValues } from './maskedValues.ts';
import { replacementParameter, tokenRemover } from './withoutTokens.ts';

/** Draws of other tokens for each unit, averaged. */
const draws = 3;

/**
 * Leave-one-out (occlusion): score = f(prompt) − f(prompt without the unit), exact, in the target's unit (Zeiler & Fergus 2014,
 * arXiv 1311.2901; Li et al. 2016, arXiv 1612.08220). Without: deleted, replaced by a neutral token or by other tokens of the prompt,
 * or hidden from attention where it stands. Units of the template and control tokens score 0 unless `includeTemplate`.
 * See docs/methods/occlusion.md.
 */
export const occlusion: AttributionMethod = {
  id: 'occlusion',
  family: 'perturbation',
  label: 'Occlusion (leave one out)',
  assumption: 'What happens to the answer when this one is not there. Exact, but blind to two that stand in for each other.',
  needs: ['forward'],
  parameters: [
    { ...replacementParameter, choices: ['drop', 'neutral', 'mask', 'corpus'] },
    { id: 'includeTemplate', label: 'Also leave out template and control tokens', default: false },
  ],
  tellsUnits: true,
  // Where beginnings are shared a variant is evaluated from the first changed token on: half a pass on average.
  cost: (units, sharesBeginnings) => (sharesBeginnings ? units / 2 : units),

  async attribute(input, options = {}) {
    const scored = input.units.flatMap((unit, index) =>
      isHidden(unit) && input.parameters['includeTemplate'] !== true ? [] : [index],
    );
    const { effects, forwardPasses } = await leaveOut(
      input,
      scored.map((index) => input.units[index] as Unit),
      {
        ...options,
        onScore: (place, score) => options.onScore?.(scored[place] as number, score),
      },
    );
    const scores = new Float32Array(input.units.length);
    scored.forEach((index, place) => {
      scores[index] = effects[place] as number;
    });
    return { scores, forwardPasses, warnings: [] };
  },
};

/**
 * f(prompt) − f(prompt without the group) for each group of tokens, as the `replacement` parameter says.
 * @returns effects: one per group, in the target's unit
 * @throws E_METHOD_UNSUPPORTED for `mask` on a model whose forward pass cannot be changed, and as `evaluateSequences`
 */
export async function leaveOut(
  input: AttributionInput,
  groups: readonly Pick<Unit, 'tokens'>[],
  options: AttributionOptions = {},
): Promise<{ readonly effects: Float64Array; readonly forwardPasses: number }> {
  if (input.parameters['replacement'] === 'mask') return await masked(input, groups, options);
  const full = Int32Array.from(input.tokens, (token) => token.id);
  const perGroup = input.parameters['replacement'] === 'corpus' ? draws : 1;
  const prompts =
    perGroup === 1
      ? await promptsWithout(input, groups)
      : groups.flatMap(({ tokens }, group) => replacedByOthers(input, tokens, group));
  const effects = new Float64Array(groups.length);
  let done = 0;
  const values = await evaluateSequences(input.model, prompts, input.target, {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onValue: (variant, value) => {
      done++;
      options.onProgress?.(done, prompts.length);
      if (perGroup === 1) options.onScore?.(variant, Math.fround(input.value - value));
    },
  });
  values.forEach((value, variant) => {
    const group = Math.floor(variant / perGroup);
    effects[group] = (effects[group] as number) + (input.value - value) / perGroup;
  });
  return { effects, forwardPasses: sharedPasses(input.model.info, prompts, full.length, input.target.continuation.length) };
}

async function promptsWithout(input: AttributionInput, groups: readonly Pick<Unit, 'tokens'>[]): Promise<Int32Array[]> {
  const without = await tokenRemover(input);
  return groups.map(({ tokens }) => without(tokens));
}

async function masked(input: AttributionInput, groups: readonly Pick<Unit, 'tokens'>[], options: AttributionOptions) {
  if (!input.model.info.can.patch) {
    throw methodUnsupported('occlusion with the replacement mask', 'changes inside a forward pass', [
      'occlusion with drop or neutral',
    ]);
  }
  const effects = new Float64Array(groups.length);
  const hidden = groups.map(({ tokens }) => tokens);
  await maskedValues(input, hidden, options, (group, value) => {
    effects[group] = input.value - value;
    options.onScore?.(group, Math.fround(input.value - value));
  });
  return { effects, forwardPasses: groups.length };
}

/** The prompt several times, each time with tokens drawn from elsewhere in the prompt in place of the group's own. */
function replacedByOthers({ tokens, seed }: AttributionInput, gone: readonly number[], group: number): Int32Array[] {
  const random = seededRandom(seed + 7919 * group);
  const others = tokens.flatMap((token: Token, index) => (token.special || gone.includes(index) ? [] : [token.id]));
  return Array.from({ length: draws }, () => {
    const prompt = Int32Array.from(tokens, (token) => token.id);
    for (const index of gone) prompt[index] = others[Math.floor(random() * others.length)] ?? (prompt[index] as number);
    return prompt;
  });
}
