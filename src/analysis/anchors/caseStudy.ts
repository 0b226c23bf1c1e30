/** What the labels do on the user's own cases: confusions and what-ifs, measured. */
import { toolPrompt } from '../../shared/toolErrors.ts';
import { wilsonInterval } from '../../attribution/surrogate/proportion.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { EncodedPrompt } from '../words/promptEncoder.ts';
import { applyEdits } from '../words/textEdits.ts';
import type { AnchorPlaces } from './anchorPlaces.ts';
import { type FewShot, labelAnchorsId } from './fewShot.ts';
import type { LabelCase } from './labelCases.ts';
import { chosen, compared, isRight, type WhatIfOutcome } from './whatIfOutcome.ts';
import { type LabelledAnswer, measuredConfusion } from './measuredConfusion.ts';
import { fitLabelWeights, type FittedOutcome, fittingRuns } from './fitLabelWeights.ts';
import { classProbabilities, type WhatIf } from './whatIfs.ts';

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
  const fitting = can.patch && can.gradient ? fittingRuns(cases) : null;
  const gradients = fitting?.gradients ?? 0;
  const passes = prompts.length * (1 + changes.length) + (fitting?.passes ?? 0);
  const total = passes + gradients;
  let done = 0;
  const onDone = () => progress('running cases', ++done, total);
  const answersOf = async (change: WhatIf['change']): Promise<LabelledAnswer[]> => {
    const changed = prompts.map((ids) => change(ids));
    const found = await classProbabilities(model, changed, studied.classIds, signal, onDone);
    return found.map((probabilities, index) => ({ label: cases[index]?.label ?? 0, probabilities }));
  };
  const whole = await answersOf((ids) => ({ ids, patches: [] }));
  const outcomes: WhatIfOutcome[] = [];
  for (const { id, label, saved, change } of changes)
    outcomes.push({ id, label, saved, ...compared(whole, await answersOf(change), seed) });
  const fitted = fitting !== null ? await fitLabelWeights(studied, prompts, whole, { model, signal, seed }, onDone) : null;
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
    // A gradient is a forward and a backward pass.
    forwardPasses: passes + 3 * gradients,
  };
}
