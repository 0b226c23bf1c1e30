/** The unit of the scores in the reader's words; not always the target's. */
import type { Explanation } from '../../src/shared/explanation.ts';
import type { Strings } from '../ui/strings.ts';

const perEmbedding = ' per unit of embedding';

/** '' for probabilities, which have no unit. */
export function scoreUnitText({ target, scoreUnit }: Pick<Explanation, 'target' | 'scoreUnit'>, text: Strings): string {
  return unitText(scoreUnit ?? target.unit, text);
}

/** `nat`, `logit per unit of embedding`, … in the reader's words; a unit that is not known is left as it is. */
export function unitText(unit: string, text: Strings): string {
  if (Object.hasOwn(text.unit, unit)) return text.unit[unit as keyof Strings['unit']];
  if (!unit.endsWith(perEmbedding)) return unit;
  const own = unitText(unit.slice(0, -perEmbedding.length), text);
  return text.perEmbedding(own === '' ? text.score.prob : own);
}
