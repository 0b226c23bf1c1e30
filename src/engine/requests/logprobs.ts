import { numeric } from '../../shared/errorCatalog.ts';
import { outputKind } from '../../shared/answerErrors.ts';
import type { LogprobsRequest, LogprobsResult } from '../../shared/protocol/engine.ts';
import type { RequestContext } from '../requestContext.ts';
import { tokenizePrompt } from './promptTokens.ts';
import { logprobOf, topReadings } from './readings.ts';

/** How likely the model found every token of the prompt, and what it would say next. One forward pass. */
export async function logprobs({ model, signal, progress }: RequestContext, request: LogprobsRequest): Promise<LogprobsResult> {
  if (model.info.task !== undefined)
    throw outputKind('log-probabilities of tokens', 'it predicts no next token', 'load a language model');
  const { tokens, ids } = await tokenizePrompt(model, request.prompt);
  const top = Math.max(0, Math.min(Math.trunc(request.top), model.info.vocabulary));
  progress('log-probabilities', 0, 1);
  const { read, nonFinite } = await model.forward(
    {
      tokens: ids,
      read: tokens.map((_token, position) => ({ position, ids: Array.from(ids.subarray(position + 1, position + 2)), top })),
    },
    { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  const readings = await topReadings(model, read);
  progress('log-probabilities', 1, 1);
  return {
    tokens: tokens.map((token, index) => {
      // The row before predicts this token; nothing predicts the first.
      const row = read[index - 1];
      return {
        ...token,
        logprob: row === undefined ? null : logprobOf(row),
        rank: row?.ranks[0] || null,
        top: readings[index - 1] ?? [],
      };
    }),
    next: { top: readings.at(-1) ?? [] },
  };
}
