/** Weights of the labels, fitted on every second case of each label and measured on the others. */
import type { ToolContext } from '../tools/tool.ts';
import type { StudiedPrompt } from './caseStudy.ts';
import { classSlopes, meanSlopes, steppedWeights } from './fittedWeights.ts';
import type { LabelledAnswer } from './measuredConfusion.ts';
import { compared, isRight, type WhatIfOutcome } from './whatIfOutcome.ts';
import { classProbabilities, type WhatIf, weightedClasses, weightedHeads } from './whatIfs.ts';

/** Half of them must say something of the other half. */
const fewestToFit = 8;
const fewestToMeasure = 2;

/** Steps of the weights by head that are tried on the cases they are fitted on; a single head moves little. */
const headSteps = [1, 2, 4, 8];

/** Weights listed one by one. */
const listedHeads = 12;

export interface FittedOutcome {
  /** By how much attention to the labels of each class is multiplied. */
  readonly weights: readonly number[];
  /** With one weight a label and head: the step that did best on the cases it was fitted on, and the weights that moved most. */
  readonly heads: {
    readonly step: number;
    readonly strongest: readonly {
      readonly layer: number;
      readonly head: number;
      readonly class: number;
      readonly weight: number;
    }[];
    readonly outcome: WhatIfOutcome;
  };
  readonly fittedOn: number;
  readonly measuredOn: number;
  /** Of the whole prompt on the cases it was measured on. */
  readonly accuracyBefore: number;
  readonly outcome: WhatIfOutcome;
}

/**
 * A gradient and a pass for each step on each case that is fitted, both outcomes on each of the others. Null where there are too few
 * cases, or too few labels with two of them.
 */
export function fittingRuns(answers: readonly Pick<LabelledAnswer, 'label'>[]): {
  readonly gradients: number;
  readonly passes: number;
} | null {
  const gradients = secondOfEachLabel(answers).filter(Boolean).length;
  if (answers.length < fewestToFit || answers.length - gradients < fewestToMeasure) return null;
  return { gradients, passes: gradients * headSteps.length + 2 * (answers.length - gradients) };
}

/**
 * @param whole answers of the prompts as they are @param onDone called after each gradient and each pass
 * @throws as `meanSlopes` and `classProbabilities`
 */
export async function fitLabelWeights(
  studied: StudiedPrompt,
  prompts: readonly Int32Array[],
  whole: readonly LabelledAnswer[],
  { model, signal, seed }: Pick<ToolContext, 'model' | 'signal' | 'seed'>,
  onDone: () => void,
): Promise<FittedOutcome> {
  const { info } = model;
  const { places } = studied;
  const classes = studied.fewShot.classes.length;
  const isFit = secondOfEachLabel(whole);
  const half = <T>(items: readonly T[], fit: boolean) => items.filter((_item, index) => isFit[index] === fit);
  const [fitPrompts, fitAnswers] = [half(prompts, true), half(whole, true)];
  const [restPrompts, before] = [half(prompts, false), half(whole, false)];
  const answers = async ({ change }: WhatIf, asked: readonly Int32Array[], labels: readonly LabelledAnswer[]) => {
    const found = await classProbabilities(
      model,
      asked.map((ids) => change(ids)),
      studied.classIds,
      signal,
      onDone,
    );
    return found.map((probabilities, index) => ({ label: labels[index]?.label ?? 0, probabilities }));
  };
  const outcomeOf = async (whatIf: WhatIf): Promise<WhatIfOutcome> => {
    const { id, label, saved } = whatIf;
    return { id, label, saved, ...compared(before, await answers(whatIf, restPrompts, before), seed) };
  };
  const slopes = await meanSlopes(model, studied, fitPrompts, fitAnswers, signal, onDone);
  const weights = [...steppedWeights(classSlopes(slopes, classes), 1)];
  const outcome = await outcomeOf(weightedClasses(places, info, weights));
  let [step, best] = [headSteps[0] as number, -Infinity];
  for (const each of headSteps) {
    const whatIf = weightedHeads(places, info, steppedWeights(slopes, each));
    const likelihood = (await answers(whatIf, fitPrompts, fitAnswers)).reduce((sum, answer) => sum + logLikelihood(answer), 0);
    if (likelihood > best) [step, best] = [each, likelihood];
  }
  const byHead = steppedWeights(slopes, step);
  return {
    weights,
    heads: {
      step,
      strongest: strongest(byHead, info.heads, classes),
      outcome: await outcomeOf(weightedHeads(places, info, byHead)),
    },
    fittedOn: fitPrompts.length,
    measuredOn: restPrompts.length,
    accuracyBefore: before.filter(isRight).length / before.length,
    outcome,
  };
}

function strongest(weights: Float64Array, heads: number, classes: number): FittedOutcome['heads']['strongest'] {
  const distance = (at: number) => Math.abs(Math.log(weights[at] as number));
  return Array.from(weights.keys())
    .sort((a, b) => distance(b) - distance(a) || a - b)
    .slice(0, listedHeads)
    .map((at) => ({
      layer: Math.floor(at / (heads * classes)),
      head: Math.floor(at / classes) % heads,
      class: at % classes,
      weight: weights[at] as number,
    }));
}

/** Of the right label among the labels, nats. */
function logLikelihood({ label, probabilities }: LabelledAnswer): number {
  return Math.log(probabilities[label] ?? 0);
}

/** The first, third, … of the cases of each label: both halves have all labels. */
function secondOfEachLabel(answers: readonly Pick<LabelledAnswer, 'label'>[]): boolean[] {
  const seen = new Map<number, number>();
  return answers.map(({ label }) => {
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return before % 2 === 0;
  });
}
