import { changedTexts, stabilityOf } from '../../analysis/faithfulness/measures/stability.ts';
import { rankableUnits } from '../../analysis/faithfulness/rankings.ts';
import type { AttributionInput, AttributionMethod } from '../../attribution/method.ts';
import { evaluateSequences } from '../../attribution/perturbation/evaluateSequences.ts';
import type { Faithfulness } from '../../shared/explanation.ts';
import type { Granularity, TextRange } from '../../shared/tokens.ts';
import { buildUnits } from '../../shared/units.ts';
import type { RequestContext } from '../requestContext.ts';

export interface StabilityCheck {
  /** Null where no changed prompt falls into the same units. */
  readonly measured: NonNullable<Faithfulness['measures']>[number] | null;
  readonly forwardPasses: number;
}

/**
 * Runs the method again on prompts that say the same with other white space and quotation marks; units are matched by their order.
 * @throws as the method; E_NUMERIC
 */
export async function checkStability(
  { signal, progress }: RequestContext,
  method: AttributionMethod,
  input: AttributionInput,
  scores: ArrayLike<number>,
  granularity: Granularity,
  templateRanges: readonly TextRange[],
): Promise<StabilityCheck> {
  const { model, target, seed, tokens, units } = input;
  // What the runtime put before the prompt stands in no text.
  const addSpecial = tokens[0]?.special === true && tokens[0].start === tokens[0].end;
  const variants = changedTexts(input.promptText, templateRanges);
  const again: Float32Array[] = [];
  let forwardPasses = 0;
  for (const [index, variant] of variants.entries()) {
    progress('stability', index, variants.length);
    const encoded = await model.tokenizer.encode(variant.text, { parseSpecial: true, addSpecial });
    if (encoded.tokens.length + target.continuation.length > model.info.contextLength) continue;
    const context = { sections: [], templateRanges: variant.templateRanges };
    const changed = buildUnits(variant.text, encoded.tokens, granularity, context).map((unit, at) => ({
      ...unit,
      kind: units[at]?.kind ?? unit.kind,
    }));
    if (changed.length !== units.length) continue;
    const ids = Int32Array.from(encoded.tokens, (token) => token.id);
    const [value = Number.NaN] = await evaluateSequences(model, [ids], target, { signal });
    const attributed = await method.attribute(
      { ...input, tokens: encoded.tokens, promptText: variant.text, sections: [], units: changed, value },
      { signal },
    );
    forwardPasses += 1 + attributed.forwardPasses;
    again.push(attributed.scores);
  }
  if (again.length === 0) return { measured: null, forwardPasses };
  return { measured: stabilityOf(scores, again, rankableUnits(units, tokens.length), seed), forwardPasses };
}
