/** When an answer counts as kept on a changed prompt: what a rule guarantees. */
import { answerTexts } from '../answers.ts';
import type { Model, RowResult } from '../../model/model.ts';
import type { ResolvedTarget } from '../target.ts';

export interface AnswerCondition {
  /** One clause for people: "the most likely ${model.info.task === undefined ? 'next token' : 'answer'} stays " Paris"". */
  readonly text: string;
  kept(rows: readonly RowResult[]): boolean;
}

/** The target with the most likely token of each row. */
export function readingTop(target: ResolvedTarget): ResolvedTarget {
  return { ...target, reads: (length) => target.reads(length).map((read) => ({ ...read, top: 1 })) };
}

/**
 * - `next`, `id`, entropy and divergence: the most likely token there stays what it is on the whole prompt;
 * - contrast: of its two tokens the one ahead stays ahead;
 * - text, response and span: the text's probability stays above half of what it is on the whole prompt.
 * @param full rows of {@link readingTop} on the whole prompt
 */
export async function answerCondition(
  target: ResolvedTarget,
  full: readonly RowResult[],
  model: Model,
): Promise<AnswerCondition> {
  const { description } = target;
  switch (description.kind) {
    case 'next':
    case 'id':
    case 'entropy':
    case 'class':
    case 'kl': {
      const answer = full[0]?.top[0]?.id ?? 0;
      const [piece = ''] = await answerTexts(model, [answer]);
      return {
        text: `the most likely ${model.info.task === undefined ? 'next token' : 'answer'} stays ${JSON.stringify(piece)}`,
        kept: ([row]) => row?.top[0]?.id === answer,
      };
    }
    case 'contrast': {
      const sign = Math.sign(target.value(full));
      const pieces = await answerTexts(model, description.ids);
      const [ahead = '', behind = ''] = sign < 0 ? pieces.toReversed() : pieces;
      return {
        text: `${JSON.stringify(ahead)} stays more likely than ${JSON.stringify(behind)}`,
        kept: (rows) => Math.sign(target.value(rows)) === sign,
      };
    }
    case 'similarity': {
      const least = target.value(full) / 2;
      return { text: 'the similarity stays above half of what it is', kept: (rows) => target.value(rows) > least };
    }
    case 'text':
    case 'response':
    case 'span': {
      const least = logProbability(full) - Math.LN2;
      return {
        text: `the probability of ${JSON.stringify(description.label)} stays above half of what it is`,
        kept: (rows) => logProbability(rows) > least,
      };
    }
  }
}

/** Of the asked tokens together, nats. */
function logProbability(rows: readonly RowResult[]): number {
  return rows.reduce((sum, row) => sum + (row.logits[0] ?? Number.NaN) - row.logSumExp, 0);
}
