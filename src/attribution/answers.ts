/** What a model answers with: tokens of a language model, classes of a classifier. */
import type { Model } from '../model/model.ts';
import { classUnknown, outputKind } from '../shared/answerErrors.ts';
import { encodeContinuation } from './continuation.ts';

type Answering = Pick<Model, 'info' | 'tokenizer'>;

/**
 * Ids of a text as an answer: the tokens that would follow, or the one class of this name.
 * @throws E_CLASS_UNKNOWN; E_OUTPUT_KIND for a model that answers with an embedding
 */
export async function encodeAnswer(model: Answering, text: string): Promise<number[]> {
  const { task } = model.info;
  if (task === undefined) return await encodeContinuation(model.tokenizer, text);
  if (task.kind === 'embed')
    throw outputKind('a text as the answer', 'it embeds texts and answers with no words', similarityHint);
  return [classId(task.labels, text)];
}

/** Texts of answers, one an id. */
export async function answerTexts({ info, tokenizer }: Answering, ids: readonly number[]): Promise<string[]> {
  const { task } = info;
  if (task?.kind === 'classify') return ids.map((id) => task.labels[id] ?? '');
  return await tokenizer.pieces(ids);
}

export const similarityHint = 'explain a similarity: --target similarity:TEXT';

/** @throws E_CLASS_UNKNOWN */
export function classId(labels: readonly string[], name: string): number {
  const wanted = name.trim();
  const exact = labels.indexOf(wanted);
  if (exact >= 0) return exact;
  const folded = labels.findIndex((label) => label.toLowerCase() === wanted.toLowerCase());
  if (folded < 0) throw classUnknown(name, labels);
  return folded;
}
