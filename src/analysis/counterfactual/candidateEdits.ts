import type { Model } from '../../model/model.ts';
import type { Unit } from '../../shared/tokens.ts';
import type { EncodedPrompt } from '../words/promptEncoder.ts';
import { embeddingGradient, predictedFall, relativeEmbeddings } from './firstOrder.ts';
import type { FlipGoal } from './flipGoal.ts';
import { proposedSubstitutes } from './substitutes.ts';
import { deletions, type WordEdit, wordCores } from './wordEdits.ts';
import type { RowResult } from '../../model/model.ts';
import { methodUnsupported } from '../../shared/errorCatalog.ts';
import type { ToolContext } from '../tools/tool.ts';
import { vocabularySubstitutes } from './vocabularySubstitutes.ts';

export const editModes = ['both', 'deletion', 'substitution'] as const;
export type EditMode = (typeof editModes)[number];

/** Where substitutes come from: what the model finds likely at the place, the whole vocabulary by the gradient, or both. */
export const substituteSources = ['likely', 'vocabulary', 'both'] as const;
export type SubstituteSource = (typeof substituteSources)[number];

export interface CandidateEdits {
  /** The most promising first. */
  readonly edits: readonly WordEdit[];
  /** What put them in order. */
  readonly order: 'gradient' | 'none';
  /** Vocabulary entries × words that were scored; 0 where the vocabulary was not looked through. */
  readonly scored: number;
  readonly forwardPasses: number;
}

/**
 * Every single edit that is considered. Where the model gives gradients they are put in order by what they should do to the margin, to
 * first order.
 * @param row the goal's row on the unmodified prompt
 * @throws E_METHOD_UNSUPPORTED where the vocabulary is to be looked through without gradients; as `Model.forward` and `Model.gradient`
 */
export async function candidateEdits(
  model: Model,
  text: string,
  { tokens, ids }: EncodedPrompt,
  words: readonly Unit[],
  { mode, source }: { readonly mode: EditMode; readonly source: SubstituteSource },
  goal: FlipGoal,
  row: RowResult,
  { signal, progress }: Pick<ToolContext, 'signal' | 'progress'>,
): Promise<CandidateEdits> {
  const cores = mode === 'deletion' ? [] : wordCores(text, tokens, words);
  const substitutes = source === 'vocabulary' ? [] : await proposedSubstitutes(model, ids, text, cores, signal);
  const removed = mode === 'substitution' ? [] : deletions(text, words);
  let forwardPasses = substitutes.length > 0 ? 1 : 0;
  if (!model.info.can.gradient || !model.info.can.capture) {
    if (source !== 'likely')
      throw methodUnsupported('candidates from the whole vocabulary', 'gradients', ['--candidates likely']);
    const edits = [
      ...removed.map((edit) => ({ ...edit, predicted: 0 })),
      ...substitutes.map(({ core: { word, start, end }, text: other }) => ({ word, start, end, text: other, predicted: 0 })),
    ];
    return { edits, order: 'none', scored: 0, forwardPasses };
  }
  const whole = Int32Array.from([...ids, ...goal.continuation]);
  const slope = await embeddingGradient(model, whole, goal.gradient(ids.length, row), signal);
  forwardPasses += slope.forwardPasses;
  const asked = new Set(substitutes.flatMap(({ core, id }) => [ids[core.tokens[0] ?? 0] as number, id]));
  const of = await relativeEmbeddings(model, [...asked], signal);
  const onBlock = (done: number, total: number) => progress('scoring the vocabulary', done, total);
  const { substitutes: promising, scored } =
    source === 'likely' || cores.length === 0
      ? { substitutes: [], scored: 0 }
      : await vocabularySubstitutes(model, ids, text, cores, slope, signal, onBlock);
  const proposed = new Set(substitutes.map(({ core, id }) => `${core.word} ${id}`));
  const edits: WordEdit[] = [
    ...removed.map((edit) => ({
      ...edit,
      predicted: (words[edit.word]?.tokens ?? []).reduce((sum, token) => sum + (slope.contributions[token] ?? 0), 0),
    })),
    ...substitutes.map(({ core, id, text: other }) => ({
      word: core.word,
      start: core.start,
      end: core.end,
      text: other,
      predicted: predictedFall(slope, core, ids, id, of),
    })),
    ...promising
      .filter(({ core, id }) => !proposed.has(`${core.word} ${id}`))
      .map(({ core, text: other, predicted }) => ({ word: core.word, start: core.start, end: core.end, text: other, predicted })),
  ];
  return { edits: edits.sort((a, b) => b.predicted - a.predicted), order: 'gradient', scored, forwardPasses };
}
