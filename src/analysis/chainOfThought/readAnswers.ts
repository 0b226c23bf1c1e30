import { encodeContinuation } from '../../attribution/continuation.ts';
import { sharedPasses, withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { Model } from '../../model/model.ts';
import { contextOverflow, numeric } from '../../shared/errorCatalog.ts';

export interface ReadAnswer {
  /** Of the stated answer, summed over its tokens, nats. */
  readonly logprob: number;
  /** Whether greedy decoding would write it. */
  readonly isSame: boolean;
  /** What greedy decoding would write, up to the first token that is not the answer's; the answer itself where it is the same. */
  readonly begins: readonly number[];
}

/**
 * What the model thinks of one answer behind several texts that continue a prompt.
 * @throws E_CONTEXT_OVERFLOW, E_NUMERIC, and as `Model.forwardVariants`
 */
export async function readAnswers(
  model: Model,
  prompt: Int32Array,
  texts: readonly string[],
  answer: readonly number[],
  signal: AbortSignal,
  onDone: () => void = () => undefined,
): Promise<{ readonly answers: ReadAnswer[]; readonly forwardPasses: number }> {
  const variants = [];
  for (const text of texts) {
    const before = withContinuation(prompt, Int32Array.from(await encodeContinuation(model.tokenizer, text)));
    const tokens = withContinuation(before, Int32Array.from(answer.slice(0, -1)));
    if (tokens.length > model.info.contextLength) throw contextOverflow(tokens.length, model.info.contextLength);
    variants.push({ tokens, read: answer.map((id, step) => ({ position: before.length - 1 + step, ids: [id], top: 1 })) });
  }
  const results = await model.forwardVariants({ variants }, { signal, onResult: onDone });
  const answers = results.map(({ read }): ReadAnswer => {
    const logprob = read.reduce((sum, row) => sum + (row.logits[0] ?? Number.NaN) - row.logSumExp, 0);
    if (!Number.isFinite(logprob)) throw numeric('logits');
    const likely = read.map((row) => row.top[0]?.id ?? 0);
    const other = likely.findIndex((id, step) => id !== answer[step]);
    return { logprob, isSame: other < 0, begins: other < 0 ? likely : likely.slice(0, other + 1) };
  });
  const sequences = variants.map(({ tokens }) => tokens);
  return { answers, forwardPasses: sharedPasses(model.info, sequences, Math.max(1, sequences.at(-1)?.length ?? 1), 0) };
}
