/**
 * How much the labels of each class should weigh (the paper's anchor re-weighting, section 4.1), by one step along the gradient: with β
 * added to the scores of the answer's looks at the labels of a class, the step follows the derivative of the mean log-probability of the
 * right label among the labels. Once with one β a class for all layers and heads, once with one for each head, as the paper has it.
 */
import type { Model } from '../../model/model.ts';
import { siteName, type Site } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { StudiedPrompt } from './caseStudy.ts';
import type { LabelledAnswer } from './measuredConfusion.ts';

/** What the most moved weight (or its inverse) is in a step of 1. */
const unitWeight = 2;

/**
 * Mean derivative over prompts. One gradient each.
 * @param answers of the prompts as they are, in their order
 * @returns [layers, heads, classes] d log p(right label among the labels) / dβ at β = 0 @throws as `weightSlopes`
 */
export async function meanSlopes(
  model: Model,
  studied: StudiedPrompt,
  prompts: readonly Int32Array[],
  answers: readonly LabelledAnswer[],
  signal: AbortSignal,
  onDone: () => void = () => undefined,
): Promise<Float64Array> {
  const { layers, heads } = model.info;
  const mean = new Float64Array(layers * heads * studied.fewShot.classes.length);
  for (const [index, ids] of prompts.entries()) {
    const own = await weightSlopes(model, studied, ids, answers[index] as LabelledAnswer, signal);
    own.forEach((slope, at) => {
      mean[at] = (mean[at] as number) + slope / prompts.length;
    });
    onDone();
  }
  return mean;
}

/** Of one weight a class: a β shared by all layers and heads moves with the sum of their slopes. */
export function classSlopes(slopes: Float64Array, classes: number): Float64Array {
  const sums = new Float64Array(classes);
  slopes.forEach((slope, at) => {
    sums[at % classes] = (sums[at % classes] as number) + slope;
  });
  return sums;
}

/** exp(β) with β along the slopes; the steepest ends at 2^step, or at its inverse. */
export function steppedWeights(slopes: Float64Array, step: number): Float64Array {
  const steepest = slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0);
  return slopes.map((slope) => (steepest > 0 ? unitWeight ** ((step * slope) / steepest) : 1));
}

/** Of one prompt: [layers, heads, classes]. @throws E_NUMERIC, and as `Model.gradient` */
export async function weightSlopes(
  model: Model,
  { places, classIds }: Pick<StudiedPrompt, 'places' | 'classIds'>,
  ids: Int32Array,
  { label, probabilities }: LabelledAnswer,
  signal: AbortSignal,
): Promise<Float64Array> {
  const { layers, heads } = model.info;
  const position = ids.length - 1;
  // The derivative of a log-softmax over the labels: 1 − p for the right one, −p for the others.
  const terms = classIds.map((id, name) => ({ position, id, weight: Number(name === label) - (probabilities[name] ?? 0) }));
  const at = Array.from({ length: layers }, (_, layer): Site => ({ kind: 'scores', layer }));
  const { targets } = await model.gradient({ tokens: ids, targets: [{ kind: 'logit', terms }], at }, { signal });
  const slopes = new Float64Array(layers * heads * classIds.length);
  for (const [layer, site] of at.entries()) {
    const gradient = targets[0]?.gradients.get(siteName(site));
    if (gradient === undefined) throw numeric(siteName(site));
    for (let head = 0; head < heads; head++) {
      for (const [example, key] of places.labels.entries()) {
        const place = (layer * heads + head) * classIds.length + (places.classOf[example] ?? 0);
        const slope = gradient.data[(head * ids.length + position) * ids.length + key] as number;
        slopes[place] = (slopes[place] as number) + slope;
      }
    }
  }
  if (!slopes.every(Number.isFinite)) throw numeric('the gradient at scores');
  return slopes;
}
