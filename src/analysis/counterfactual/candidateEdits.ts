import type { Model } from '../../model/model.ts';
import type { Unit } from '../../shared/tokens.ts';
import type { EncodedPrompt } from '../words/promptEncoder.ts';
import { embeddingGradient, predictedFall, relativeEmbeddings } from './firstOrder.ts';
import type { FlipGoal } from './flipGoal.ts';
import { proposedSubstitutes } from './substitutes.ts';
import { deletions, type WordEdit, wordCores } from './wordEdits.ts';
import type { RowResult } from '../../model/model.ts';

export const editModes = ['both', 'deletion', 'substitution'] as const;
export type EditMode = (typeof editModes)[number];

export interface CandidateEdits {
  /** The most promising first. */
  readonly edits: readonly WordEdit[];
  /** What put them in order. */
  readonly order: 'gradient' | 'none';
  readonly forwardPasses: number;
}

/**
 * Every single edit that is considered. Substitutes are the model's own proposals at the word's place; where the model gives gradients
 * they are put in order by what they should do to the margin, to first order.
 * @param row the goal's row on the unmodified prompt
 * @throws as `Model.forward` and `Model.gradient`
 */
export async function candidateEdits(
  model: Model,
  text: string,
  { tokens, ids }: EncodedPrompt,
  words: readonly Unit[],
  mode: EditMode,
  goal: FlipGoal,
  row: RowResult,
  signal: AbortSignal,
): Promise<CandidateEdits> {
  const substitutes =
    mode === 'deletion' ? [] : await proposedSubstitutes(model, ids, text, wordCores(text, tokens, words), signal);
  const removed = mode === 'substitution' ? [] : deletions(text, words);
  let forwardPasses = substitutes.length > 0 ? 1 : 0;
  if (!model.info.can.gradient || !model.info.can.capture) {
    const edits = [
      ...removed.map((edit) => ({ ...edit, predicted: 0 })),
      ...substitutes.map(({ core: { word, start, end }, text: other }) => ({ word, start, end, text: other, predicted: 0 })),
    ];
    return { edits, order: 'none', forwardPasses };
  }
  const whole = Int32Array.from([...ids, ...goal.continuation]);
  const slope = await embeddingGradient(model, whole, goal.gradient(ids.length, row), signal);
  forwardPasses += slope.forwardPasses;
  const asked = new Set(substitutes.flatMap(({ core, id }) => [ids[core.tokens[0] ?? 0] as number, id]));
  const { of, passTokens } = await relativeEmbeddings(model, [...asked], signal);
  forwardPasses += passTokens / whole.length;
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
  ];
  return { edits: edits.sort((a, b) => b.predicted - a.predicted), order: 'gradient', forwardPasses };
}
