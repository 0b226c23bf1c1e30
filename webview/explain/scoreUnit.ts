/** The unit of the scores in the reader's words; not always the target's. */
import type { Explanation } from '../../src/shared/explanation.ts';
import type { Strings } from '../ui/strings.ts';

const perEmbedding = ' per unit of embedding';

/** '' for probabilities, which have no unit. */
export function scoreUnitText({ target, scoreUnit }: Pick<Explanation, 'target' | 'scoreUnit'>, text: Strings): string {
  const own = text.unit[target.unit];
  if (scoreUnit === undefined) return own;
  return scoreUnit.endsWith(perEmbedding) ? text.perEmbedding(own === '' ? text.score.prob : own) : scoreUnit;
}
