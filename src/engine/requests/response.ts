import { answerTexts, encodeAnswer } from '../../attribution/answers.ts';
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import { numeric, targetEmpty } from '../../shared/errorCatalog.ts';
import type { Explanation, Warning } from '../../shared/explanation.ts';
import type { RequestContext } from '../requestContext.ts';
import { checkContext } from './promptTokens.ts';
import { logprobOf, topReadings } from './readings.ts';

const alternatives = 5;

export interface ResponseOutcome {
  readonly response: Explanation['response'];
  readonly forwardPasses: number;
  readonly warnings: readonly Warning[];
}

/** Where a response comes from: given, or generated up to `maxTokens`. */
export interface ResponseRequest {
  readonly response?: string;
  readonly maxTokens: number;
  readonly seed: number;
}

/** The response that the explanation carries: the user's own, or what the model writes greedily. @throws E_TARGET_EMPTY, E_CONTEXT_OVERFLOW */
export function respond(context: RequestContext, ids: Int32Array, request: ResponseRequest): Promise<ResponseOutcome> {
  return request.response === undefined
    ? generateResponse(context, ids, request)
    : readGivenResponse(context, ids, request.response);
}

async function generateResponse(
  { model, signal, progress, token }: RequestContext,
  ids: Int32Array,
  { maxTokens, seed }: ResponseRequest,
): Promise<ResponseOutcome> {
  if (maxTokens <= 0) return { response: { text: '', source: 'generated', tokens: [] }, forwardPasses: 0, warnings: [] };
  let done = 0;
  progress('generating', 0, maxTokens);
  const generation = await model.generate(
    { tokens: ids, maxTokens, temperature: 0, seed, top: alternatives },
    {
      signal,
      onToken: (generated) => {
        progress('generating', ++done, maxTokens);
        token(generated.text);
      },
    },
  );
  if (!generation.tokens.every((generated) => Number.isFinite(generated.logprob))) throw numeric('logits');
  return {
    response: {
      text: generation.text,
      source: 'generated',
      tokens: generation.tokens.map((generated) => ({
        id: generated.id,
        text: generated.text,
        logprob: generated.logprob,
        alternatives: generated.alternatives.map((alternative) => ({ ...alternative })),
      })),
    },
    forwardPasses: 1 + generation.tokens.length / ids.length,
    warnings: generation.finish === 'context' ? [contextFullWarning] : [],
  };
}

async function readGivenResponse({ model, signal }: RequestContext, ids: Int32Array, text: string): Promise<ResponseOutcome> {
  const given = await encodeAnswer(model, text);
  if (given.length === 0) {
    throw targetEmpty(
      'the given response',
      'the tokenizer makes nothing of it',
      'give a text, or leave the response to the model',
    );
  }
  checkContext(model, ids.length, given.length);
  const { read, nonFinite } = await model.forward(
    {
      tokens: withContinuation(ids, Int32Array.from(given.slice(0, -1))),
      read: given.map((id, step) => ({ position: ids.length - 1 + step, ids: [id], top: alternatives })),
    },
    { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  const readings = await topReadings(model, read);
  const pieces = await answerTexts(model, given);
  const tokens = given.map((id, step) => {
    const row = read[step];
    return {
      id,
      text: pieces[step] ?? '',
      logprob: row === undefined ? Number.NaN : logprobOf(row),
      alternatives: readings[step] ?? [],
    };
  });
  if (!tokens.every((token) => Number.isFinite(token.logprob))) throw numeric('logits');
  return { response: { text, source: 'given', tokens }, forwardPasses: 1 + (given.length - 1) / ids.length, warnings: [] };
}

const contextFullWarning: Warning = {
  code: 'W_CONTEXT_FULL',
  message: 'The model’s context was full before the response ended, so the response stops early.',
};
