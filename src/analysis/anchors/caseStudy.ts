/** What the labels do on the user's own cases: confusions and what-ifs, measured. */
import { toolPrompt } from '../../shared/toolErrors.ts';
import { meanInterval, meanOf } from '../faithfulness/interval.ts';
import { wilsonInterval } from '../../attribution/surrogate/proportion.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { EncodedPrompt } from '../words/promptEncoder.ts';
import { applyEdits } from '../words/textEdits.ts';
import type { AnchorPlaces } from './anchorPlaces.ts';
import { type FewShot, labelAnchorsId } from './fewShot.ts';
import type { LabelCase } from './labelCases.ts';
import { type LabelledAnswer, measuredConfusion } from './measuredConfusion.ts';
import { classProbabilities, type WhatIf, weightedClasses } from './whatIfs.ts';
import { fittedWeights } from './fittedWeights.ts';

/** Half of them must say something of the other half. */
const fewestToFit = 8;

interface WhatIfOutcome {
  readonly id: string;
  readonly label: string;
  readonly saved: number;
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly accuracyInterval: readonly [number, number];
  /** Accuracy minus that of the whole prompt on the same cases, and the 95 % bootstrap interval of this difference. */
  readonly change: number;
  readonly changeInterval: readonly [number, number];
  /** Share of the cases answered as with the whole prompt. */
  readonly agreement: number;
}

export interface CaseStudy {
  readonly cases: number;
  readonly accuracy: number;
  readonly accuracyInterval: readonly [number, number];
  /** [classes, classes]; NaN where a class has no case. */
  readonly confusion: Float64Array;
  /** Rows: right class, columns: answer; counts. */
  readonly counts: readonly (readonly number[])[];
  readonly outcomes: readonly WhatIfOutcome[];
  /** Null with too few cases, or on a model that cannot be changed or differentiated. */
  readonly fitted: FittedOutcome | null;
  readonly forwardPasses: number;
}

/** Weights of the labels that were fitted on some of the cases and measured on the others. */
interface FittedOutcome {
  /** By how much attention to the labels of each class is multiplied. */
  readonly weights: readonly number[];
  readonly fittedOn: number;
  readonly measuredOn: number;
  /** Of the whole prompt on the cases it was measured on. */
  readonly accuracyBefore: number;
  readonly outcome: WhatIfOutcome;
}

export interface StudiedPrompt {
  readonly text: string;
  readonly ids: Int32Array;
  readonly fewShot: FewShot;
  readonly places: AnchorPlaces;
  readonly classIds: readonly number[];
}

/** The prompt with each case in the place of its question. @throws E_TOOL_PROMPT where the examples would be read otherwise */
export async function casePrompts(
  { text, ids, fewShot, places }: StudiedPrompt,
  cases: readonly LabelCase[],
  encode: (text: string) => Promise<EncodedPrompt>,
): Promise<Int32Array[]> {
  const prompts: Int32Array[] = [];
  for (const { text: question } of cases) {
    const prompt = (await encode(applyEdits(text, [{ ...fewShot.question, text: question }]))).ids;
    const isSame =
      places.questionStart < prompt.length && ids.slice(0, places.questionStart).every((id, at) => prompt[at] === id);
    if (!isSame)
      throw toolPrompt(
        labelAnchorsId,
        'a case changes how the examples before it are read',
        'put a line break between examples and question',
      );
    prompts.push(prompt);
  }
  return prompts;
}

export async function studyCases(
  studied: StudiedPrompt,
  cases: readonly LabelCase[],
  prompts: readonly Int32Array[],
  changes: readonly WhatIf[],
  { model, signal, progress, seed }: Pick<ToolContext, 'model' | 'signal' | 'progress' | 'seed'>,
): Promise<CaseStudy> {
  const { can } = model.info;
  const isFitted = prompts.length >= fewestToFit && can.patch && can.gradient;
  const [trained, tested] = [everySecond(prompts, 0), everySecond(prompts, 1)];
  const total = prompts.length * (1 + changes.length) + (isFitted ? prompts.length : 0);
  let done = 0;
  const onDone = () => progress('running cases', ++done, total);
  const answersOf = async (change: WhatIf['change'], asked = prompts, labels = cases): Promise<LabelledAnswer[]> => {
    const changed = asked.map((ids) => change(ids));
    const found = await classProbabilities(model, changed, studied.classIds, signal, onDone);
    return found.map((probabilities, index) => ({ label: labels[index]?.label ?? 0, probabilities }));
  };
  const whole = await answersOf((ids) => ({ ids, patches: [] }));
  const outcomes: WhatIfOutcome[] = [];
  for (const { id, label, saved, change } of changes)
    outcomes.push({ id, label, saved, ...compared(whole, await answersOf(change), seed) });
  let fitted: FittedOutcome | null = null;
  if (isFitted) {
    const weights = await fittedWeights(model, studied, trained, everySecond(whole, 0), signal, onDone);
    const { id, label, saved, change } = weightedClasses(studied.places, model.info, weights);
    const before = everySecond(whole, 1);
    const then = await answersOf(change, tested, everySecond(cases, 1));
    fitted = {
      weights,
      fittedOn: trained.length,
      measuredOn: tested.length,
      accuracyBefore: before.filter(isRight).length / before.length,
      outcome: { id, label, saved, ...compared(before, then, seed) },
    };
  }
  const count = studied.fewShot.classes.length;
  const counts = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  for (const answer of whole) {
    const row = counts[answer.label] as number[];
    row[chosen(answer)] = (row[chosen(answer)] ?? 0) + 1;
  }
  const hits = whole.filter(isRight).length;
  return {
    cases: whole.length,
    accuracy: hits / whole.length,
    accuracyInterval: wilsonInterval(hits, whole.length),
    confusion: measuredConfusion(whole, count),
    counts,
    outcomes,
    fitted,
    forwardPasses: total + (isFitted ? 2 * trained.length : 0),
  };
}

function everySecond<T>(items: readonly T[], from: 0 | 1): T[] {
  return items.filter((_item, index) => index % 2 === from);
}

function compared(whole: readonly LabelledAnswer[], then: readonly LabelledAnswer[], seed: number) {
  const hits = then.filter(isRight).length;
  const differences = then.map((answer, index) => Number(isRight(answer)) - Number(isRight(whole[index] as LabelledAnswer)));
  return {
    accuracy: hits / then.length,
    accuracyInterval: wilsonInterval(hits, then.length),
    change: meanOf(differences),
    changeInterval: meanInterval(differences, seed),
    agreement: meanOf(then.map((answer, index) => Number(chosen(answer) === chosen(whole[index] as LabelledAnswer)))),
  };
}

function chosen({ probabilities }: LabelledAnswer): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

function isRight(answer: LabelledAnswer): boolean {
  return chosen(answer) === answer.label;
}
