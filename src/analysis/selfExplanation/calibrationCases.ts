/** A file of questions: is the confidence that a model states worth anything? */
import * as v from 'valibot';
import { encodeContinuation } from '../../attribution/continuation.ts';
import type { Model } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { readCaseLines } from '../cases/caseLines.ts';
import { auroc, type Auroc } from '../statistics/auroc.ts';
import {
  brierScore,
  expectedCalibrationError,
  type Judged,
  type ReliabilityBin,
  reliabilityBins,
} from '../statistics/reliability.ts';
import type { ToolContext } from '../tools/tool.ts';
import { statedConfidence } from './parseConfidence.ts';
import { filled } from './templates.ts';

export const selfExplanationId = 'self-explanation';

export interface QuestionCase {
  readonly prompt: string;
  readonly answer: string;
}

const schema = v.object({
  prompt: v.pipe(v.string(), v.nonEmpty('the prompt is empty')),
  answer: v.pipe(v.string(), v.regex(/\S/u, 'the answer is empty')),
});

/** @throws E_CASES_INVALID, E_TOOL_PARAMETER */
export function readQuestionCases(text: string): QuestionCase[] {
  const file = { tool: selfExplanationId, parameter: 'cases', schema, shape: '{ "prompt", "answer" }' };
  return readCaseLines(file, text).map(({ value }) => value);
}

export interface JudgedCase {
  readonly prompt: string;
  readonly answered: string;
  readonly isRight: boolean;
  /** As the model stated it; null where its reply holds no number. */
  readonly stated: number | null;
  readonly reply: string;
  /** Geometric mean probability of a token of the answer's first line, as the model computed it. */
  readonly probability: number;
}

export interface Calibration {
  readonly count: number;
  readonly accuracy: number;
  readonly bins: readonly ReliabilityBin[];
  /** Expected calibration error. */
  readonly error: number;
  readonly brier: number;
  /** Null where all answers are right, or all wrong. */
  readonly auroc: Auroc | null;
}

/** @returns null for no prediction */
export function calibrationOf(judged: readonly Judged[], bins: number): Calibration | null {
  if (judged.length === 0) return null;
  const found = reliabilityBins(judged, bins);
  return {
    count: judged.length,
    accuracy: judged.filter(({ isRight }) => isRight).length / judged.length,
    bins: found,
    error: expectedCalibrationError(found),
    brier: brierScore(judged),
    auroc: auroc(
      judged.map(({ confidence }) => confidence),
      judged.map(({ isRight }) => isRight),
    ),
  };
}

/** Letters of scripts that put no spaces between words: each counts as one. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/**
 * Whether the expected words stand in the answer's first line, one after the other, case and punctuation aside. An answer without a word
 * (a sign, an emoji) must stand there as it is.
 */
export function isRightAnswer(answered: string, expected: string): boolean {
  const words = (text: string) =>
    ` ${
      text
        .toLowerCase()
        .replace(unspaced, ' $& ')
        .match(/[\p{L}\p{M}\p{N}]+/gu)
        ?.join(' ') ?? ''
    } `;
  if (words(expected).trim() === '') return firstLine(answered).includes(expected.trim());
  return words(firstLine(answered)).includes(words(expected));
}

function firstLine(text: string): string {
  return text.trim().split(/\r?\n/u)[0] ?? '';
}

export async function judgeCases(
  context: ToolContext,
  cases: readonly QuestionCase[],
  {
    template,
    answerTokens,
    replyTokens,
  }: { readonly template: string; readonly answerTokens: number; readonly replyTokens: number },
): Promise<JudgedCase[]> {
  const { model, progress, signal } = context;
  const judged: JudgedCase[] = [];
  for (const { prompt, answer } of cases) {
    const asked = await context.readText(prompt);
    const answered = await context.generate(asked, answerTokens);
    const content = filled(template, { prompt, response: firstLine(answered) });
    const reply = await context.generate(await context.readMessages([{ role: 'user', content }]), replyTokens);
    judged.push({
      prompt,
      answered,
      isRight: isRightAnswer(answered, answer),
      stated: statedConfidence(reply),
      reply,
      probability: await answerProbability(model, asked.ids, answered, signal),
    });
    progress('asking cases', judged.length, cases.length);
  }
  return judged;
}

async function answerProbability(model: Model, prompt: Int32Array, answered: string, signal: AbortSignal): Promise<number> {
  const lead = /^\s*/u.exec(answered)?.[0] ?? '';
  const ids = await encodeContinuation(model.tokenizer, lead + firstLine(answered));
  if (ids.length === 0) return 0;
  const tokens = Int32Array.from([...prompt, ...ids.slice(0, -1)]);
  const read = ids.map((id, step) => ({ position: prompt.length - 1 + step, ids: [id] }));
  const result = await model.forward({ tokens, read }, { signal });
  const mean = result.read.reduce((sum, row) => sum + (row.logits[0] ?? Number.NaN) - row.logSumExp, 0) / ids.length;
  if (result.nonFinite !== null || !Number.isFinite(mean)) throw numeric(result.nonFinite ?? 'logits');
  return Math.exp(mean);
}
