/**
 * How much the labels of each class should weigh (the paper's anchor re-weighting, section 4.1), by one step along the gradient: with β_c
 * added to the scores of the answer's looks at the labels of class c, in every layer and head, the step follows the derivative of the
 * mean log-probability of the right label among the labels.
 */
import type { Model } from '../../model/model.ts';
import { siteName, type Site } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { StudiedPrompt } from './caseStudy.ts';
import type { LabelledAnswer } from './measuredConfusion.ts';

/** The class that the step moves most ends at this weight, or at its inverse. */
const largestWeight = 2;

/** @param answers of the prompts as they are, in their order @returns exp(β), one a class */
export async function fittedWeights(
  model: Model,
  studied: StudiedPrompt,
  prompts: readonly Int32Array[],
  answers: readonly LabelledAnswer[],
  signal: AbortSignal,
  onDone: () => void = () => undefined,
): Promise<number[]> {
  const slopes = studied.fewShot.classes.map(() => 0);
  for (const [index, ids] of prompts.entries()) {
    const own = await weightSlopes(model, studied, ids, answers[index] as LabelledAnswer, signal);
    own.forEach((slope, name) => {
      slopes[name] = (slopes[name] ?? 0) + slope / prompts.length;
    });
    onDone();
  }
  const steepest = Math.max(...slopes.map(Math.abs));
  return slopes.map((slope) => (steepest > 0 ? largestWeight ** (slope / steepest) : 1));
}

/** d log p(right label among the labels) / dβ_c at β = 0, one a class. @throws E_NUMERIC, and as `Model.gradient` */
export async function weightSlopes(
  model: Model,
  { places, classIds }: Pick<StudiedPrompt, 'places' | 'classIds'>,
  ids: Int32Array,
  { label, probabilities }: LabelledAnswer,
  signal: AbortSignal,
): Promise<number[]> {
  const position = ids.length - 1;
  // The derivative of a log-softmax over the labels: 1 − p for the right one, −p for the others.
  const terms = classIds.map((id, name) => ({ position, id, weight: Number(name === label) - (probabilities[name] ?? 0) }));
  const at = Array.from({ length: model.info.layers }, (_, layer): Site => ({ kind: 'scores', layer }));
  const { targets } = await model.gradient({ tokens: ids, targets: [{ kind: 'logit', terms }], at }, { signal });
  const slopes = classIds.map(() => 0);
  for (const site of at) {
    const gradient = targets[0]?.gradients.get(siteName(site));
    if (gradient === undefined) throw numeric(siteName(site));
    for (let head = 0; head < model.info.heads; head++) {
      for (const [example, key] of places.labels.entries()) {
        const name = places.classOf[example] ?? 0;
        slopes[name] = (slopes[name] ?? 0) + (gradient.data[(head * ids.length + position) * ids.length + key] as number);
      }
    }
  }
  if (!slopes.every(Number.isFinite)) throw numeric('the gradient at scores');
  return slopes;
}
