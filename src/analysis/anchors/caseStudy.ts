/** What the labels do on the user's own cases: confusions and what-ifs, measured. */
import type { Model } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
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
import { classProbabilities, type WhatIf } from './whatIfs.ts';

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
  const total = prompts.length * (1 + changes.length);
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
    forwardPasses: total,
  };
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

/** Query vectors of one layer at the place of the answer, [prompts][heads · head size]. */
export async function answerQueries(
  model: Model,
  prompts: readonly Int32Array[],
  layer: number,
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const queries: Float32Array[] = [];
  for (const ids of prompts) {
    const { captured, nonFinite } = await model.forward({ tokens: ids, capture: [{ site: { kind: 'q', layer } }] }, { signal });
    const tensor = captured.get(`q.${layer}`);
    if (nonFinite !== null || tensor === undefined) throw numeric(nonFinite ?? `q.${layer}`);
    const width = tensor.data.length / ids.length;
    queries.push(tensor.data.slice((ids.length - 1) * width));
  }
  return queries;
}

/**
 * Mean key vector of each class's labels in one layer, [classes][heads · head size]; a key that several heads share is there once for
 * each of them.
 */
export async function classKeys(
  { model, signal }: Pick<ToolContext, 'model' | 'signal'>,
  { ids, places, fewShot }: Pick<StudiedPrompt, 'ids' | 'places' | 'fewShot'>,
  layer: number,
): Promise<Float64Array[]> {
  const { captured, nonFinite } = await model.forward({ tokens: ids, capture: [{ site: { kind: 'k', layer } }] }, { signal });
  const tensor = captured.get(`k.${layer}`);
  if (nonFinite !== null || tensor === undefined) throw numeric(nonFinite ?? `k.${layer}`);
  const [, keyHeads = 1, headSize = 1] = tensor.shape;
  const { heads } = model.info;
  const shared = heads / keyHeads;
  return fewShot.classes.map((_name, index) => {
    const own = places.labels.filter((_label, example) => places.classOf[example] === index);
    return Float64Array.from({ length: heads * headSize }, (_, at) => {
      const keyHead = Math.floor(Math.floor(at / headSize) / shared);
      const column = keyHead * headSize + (at % headSize);
      return own.reduce((sum, label) => sum + (tensor.data[label * keyHeads * headSize + column] as number), 0) / own.length;
    });
  });
}
