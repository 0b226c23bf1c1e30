import { encodeContinuation } from '../../attribution/continuation.ts';
import { sharedPasses, withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { Model } from '../../model/model.ts';
import { contextOverflow, numeric } from '../../shared/errorCatalog.ts';

export interface ReadAnswer {
  /** Of the stated answer, summed over its tokens, nats. */
  readonly logprob: number;
  /** Whether greedy decoding would write it. */
  readonly isSame: boolean;
  /** The most likely token in the place of the answer's first. */
  readonly first: number;
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
    return {
      logprob,
      isSame: read.every((row, step) => row.top[0]?.id === answer[step]),
      first: read[0]?.top[0]?.id ?? 0,
    };
  });
  const sequences = variants.map(({ tokens }) => tokens);
  return { answers, forwardPasses: sharedPasses(model.info, sequences, Math.max(1, sequences.at(-1)?.length ?? 1), 0) };
}
