import { emptyPromptToken } from './emptyPrompt.ts';
import { evaluateSequences, passShare } from './evaluateSequences.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import { neutralToken } from './neutralToken.ts';
import { isHidden } from '../scoredUnits.ts';

/**
 * Leave one unit out: score = f(prompt) − f(prompt without the unit), exact, in the target's unit (Zeiler & Fergus 2014,
 * arXiv 1311.2901; Li et al. 2016, arXiv 1612.08220). Units of the template and control tokens score 0 unless
 * `includeTemplate`. See docs/methods/occlusion.md.
 */
export const occlusion: AttributionMethod = {
  id: 'occlusion',
  label: 'Occlusion (leave one out)',
  assumption: 'What happens to the answer when this one is not there. Exact, but blind to two that stand in for each other.',
  needs: ['forward'],
  parameters: [
    { id: 'replacement', label: 'Instead of the unit', default: 'drop', choices: ['drop', 'neutral'] },
    { id: 'includeTemplate', label: 'Also leave out template and control tokens', default: false },
  ],
  // A variant is evaluated from the first changed token on: half a pass on average.
  cost: (units) => units / 2,

  async attribute(input, options = {}) {
    const { model, units, target } = input;
    const full = Int32Array.from(input.tokens, (token) => token.id);
    const scored = units.flatMap((unit, index) =>
      isHidden(unit) && input.parameters.includeTemplate !== true ? [] : [{ unit, index }],
    );
    const withoutUnit = await remover(input, full);
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

/** Makes the prompt without some of its tokens, as the `replacement` parameter says. */
async function remover(input: AttributionInput, full: Int32Array): Promise<(tokens: readonly number[]) => Int32Array> {
  if (input.parameters.replacement === 'neutral') {
    const neutral = await neutralToken(input.model.tokenizer);
    return (tokens) => {
      const prompt = full.slice();
      for (const token of tokens) prompt[token] = neutral;
      return prompt;
    };
  }
  const empty = await emptyPromptToken(input.model.tokenizer);
  return (tokens) => {
    const dropped = new Set(tokens);
    const kept = full.filter((_id, index) => !dropped.has(index));
    return kept.length > 0 ? kept : Int32Array.of(empty);
  };
}
