import type { Tensor } from '../../model/model.ts';
import { sumByUnit } from '../scoredUnits.ts';
import type { AttributionInput, AttributionOptions, MethodParameter } from '../method.ts';
import type { Explanation } from '../../shared/explanation.ts';
import { withoutPlan, wholeSequence } from './promptGradient.ts';
import { targetGradients } from './targetGradients.ts';

export const perTokenParameter: MethodParameter = {
  id: 'perToken',
  label: 'Also for each token of the response alone',
  default: false,
};

interface TokenPicture {
  /** One number for each prompt token, from a response token's gradient [T, D] and the embeddings [T, D]. */
  readonly scoresOf: (gradient: Tensor, embeddings: () => Tensor) => ArrayLike<number>;
  readonly withEmbeddings: boolean;
  /** Appended to the unit of the response's score. */
  readonly perUnit: string;
}

/**
 * The same picture for each single token of the response, where it is asked for and the target is a part of the response: one forward
 * pass, and a backward pass a token.
 * @throws as `Model.gradient`
 */
export async function responseMatrix(
  input: AttributionInput,
  { scoresOf, perUnit, withEmbeddings }: TokenPicture,
  options: AttributionOptions,
): Promise<{ readonly matrix?: NonNullable<Explanation['matrix']>; readonly forwardPasses: number }> {
  const { response, tokens, units, target, parameters } = input;
  const isResponse = target.description.kind === 'response' || target.description.kind === 'span';
  if (parameters.perToken !== true || response === null || !isResponse) return { forwardPasses: 0 };
  const whole = response.gradient(tokens.length);
  if (!('terms' in whole)) return { forwardPasses: 0 };
  // A probability of the whole is no sum over tokens; each token's own log-probability stands in.
  const kind = whole.kind === 'logit' ? 'logit' : 'logprob';
  const scores: number[][] = [];
  const { forwardPasses } = await targetGradients(
    input,
    {
      sequence: wholeSequence({ tokens, target: response }),
      targets: whole.terms.map((term) => ({ kind, terms: [term] })),
      withEmbeddings,
    },
    (_index, gradient, embeddings) => scores.push([...sumByUnit(units, scoresOf(gradient, embeddings))]),
    withoutPlan(options),
  );
  const unit = `${kind === 'logit' ? 'logit' : 'nat'}${perUnit}`;
  return { matrix: { rows: whole.terms.map((_term, index) => index), scores, unit }, forwardPasses };
}
