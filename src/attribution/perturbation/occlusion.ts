import { evaluateSequences, passShare } from './evaluateSequences.ts';
import type { AttributionMethod } from '../method.ts';
import { replacementParameter, tokenRemover } from './withoutTokens.ts';
import { isHidden } from '../scoredUnits.ts';

/**
 * Leave one unit out: score = f(prompt) − f(prompt without the unit), exact, in the target's unit (Zeiler & Fergus 2014,
 * arXiv 1311.2901; Li et al. 2016, arXiv 1612.08220). Units of the template and control tokens score 0 unless
 * `includeTemplate`. See docs/methods/occlusion.md.
 */
export const occlusion: AttributionMethod = {
  id: 'occlusion',
  family: 'perturbation',
  label: 'Occlusion (leave one out)',
  assumption: 'What happens to the answer when this one is not there. Exact, but blind to two that stand in for each other.',
  needs: ['forward'],
  parameters: [
    replacementParameter,
    { id: 'includeTemplate', label: 'Also leave out template and control tokens', default: false },
  ],
  tellsUnits: true,
  // A variant is evaluated from the first changed token on: half a pass on average.
  cost: (units) => units / 2,

  async attribute(input, options = {}) {
    const { model, units, target } = input;
    const full = Int32Array.from(input.tokens, (token) => token.id);
    const scored = units.flatMap((unit, index) =>
      isHidden(unit) && input.parameters.includeTemplate !== true ? [] : [{ unit, index }],
    );
    const withoutUnit = await tokenRemover(input);
    const prompts = scored.map(({ unit }) => withoutUnit(unit.tokens));
    const scores = new Float32Array(units.length);
    let done = 0;
    const values = await evaluateSequences(model, prompts, target, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onValue: (variant, value) => {
        done++;
        options.onProgress?.(done, prompts.length);
        const index = scored[variant]?.index;
        if (index !== undefined) options.onScore?.(index, Math.fround(input.value - value));
      },
    });
    scored.forEach(({ index }, variant) => {
      scores[index] = input.value - (values[variant] as number);
    });
    const forwardPasses = prompts.reduce((sum, prompt) => sum + passShare(prompt, full, target.continuation.length), 0);
    return { scores, forwardPasses, warnings: [] };
  },
};
