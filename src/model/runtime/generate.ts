import type { CallOptions, GenerateRequest, GeneratedToken, Generation } from '../model.ts';
import { cancelled, contextOverflow, numeric } from '../../shared/errorCatalog.ts';
import { logSumExp } from '../logSumExp.ts';
import { topLogits } from './rowSummary.ts';
import { randomNumbers } from './randomNumbers.ts';
import { sampleToken } from './sampleToken.ts';

/** What generation needs of a vocabulary. */
export interface GenerationVocabulary {
  isEndOfGeneration(id: number): boolean;
  /** The bytes a token adds to a text; several tokens may share a character. */
  piece(id: number): Uint8Array;
  /** One token as a reader knows it. */
  label(id: number): string;
}

/** What generation needs of a loaded model. */
export interface GenerationModel {
  /** Tokens that prompt and response may have together. */
  readonly contextLength: number;
  readonly vocabulary: GenerationVocabulary;
  /**
   * Evaluates `tokens` after the first `position` tokens of the sequence (0 = a new sequence) and gives the logits of the last
   * one, [vocabulary]; they are read before the next call.
   */
  evaluate(tokens: Int32Array, position: number): Float32Array | Promise<Float32Array>;
}

/** One token chosen to follow, and what was known of the choice. */
export interface NextToken {
  readonly id: number;
  /** Nats, under the unscaled distribution. */
  readonly logprob: number;
  readonly alternatives: readonly { readonly id: number; readonly logprob: number }[];
  /** Whether it ends the response. */
  readonly ends: boolean;
}

/** The same for a model that gives no whole row of logits. */
export interface TokenSource {
  readonly contextLength: number;
  readonly vocabulary: Pick<GenerationVocabulary, 'piece' | 'label'>;
  /** Chooses what follows `tokens`, which follow the first `position` tokens of the sequence. */
  next(tokens: Int32Array, position: number, random: () => number): Promise<NextToken>;
}

/**
 * Generates greedily or with a seed. A token's text is what it adds to the response: a character that needs several tokens
 * belongs to the one that completes it, so the texts joined are always the response. Log-probabilities are in nats under the
 * unscaled distribution, whatever the temperature.
 * @throws E_CONTEXT_OVERFLOW, E_CANCELLED, E_NUMERIC, and what `evaluate` throws
 */
export async function generate(
  request: GenerateRequest,
  model: GenerationModel,
  options: CallOptions & { readonly onToken?: (token: GeneratedToken) => void } = {},
): Promise<Generation> {
  const { contextLength, vocabulary } = model;
  const next = async (tokens: Int32Array, position: number, random: () => number): Promise<NextToken> => {
    const choice = chooseToken(await model.evaluate(tokens, position), request, random);
    return { ...choice, ends: vocabulary.isEndOfGeneration(choice.id) };
  };
  return await generateFrom(request, { contextLength, vocabulary, next }, options);
}

/** @throws E_CONTEXT_OVERFLOW, E_CANCELLED, and what `next` throws */
export async function generateFrom(
  request: GenerateRequest,
  source: TokenSource,
  options: CallOptions & { readonly onToken?: (token: GeneratedToken) => void } = {},
): Promise<Generation> {
  const { contextLength, vocabulary } = source;
  if (request.tokens.length > contextLength) throw contextOverflow(request.tokens.length, contextLength);
  const random = randomNumbers(request.seed);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const tokens: GeneratedToken[] = [];
  let evaluated = 0;
  let pending = request.tokens;
  let finish: Generation['finish'] = 'length';
  while (tokens.length < request.maxTokens) {
    if (options.signal?.aborted === true) throw cancelled();
    if (evaluated + pending.length > contextLength) {
      finish = 'context';
      break;
    }
    const next = await source.next(pending, evaluated, random);
    evaluated += pending.length;
    if (next.ends) {
      finish = 'stop';
      break;
    }
    // When nothing can follow, what is left of a character comes out with this token.
    const isLast = tokens.length + 1 === request.maxTokens || evaluated + 1 > contextLength;
    const token: GeneratedToken = {
      id: next.id,
      text: decoder.decode(vocabulary.piece(next.id), { stream: !isLast }),
      logprob: next.logprob,
      alternatives: next.alternatives.map((alternative) => ({ ...alternative, text: vocabulary.label(alternative.id) })),
    };
    tokens.push(token);
    options.onToken?.(token);
    pending = Int32Array.of(next.id);
  }
  const rest = decoder.decode();
  const last = tokens.at(-1);
  if (rest !== '' && last !== undefined) tokens[tokens.length - 1] = { ...last, text: last.text + rest };
  return { tokens, text: tokens.map((token) => token.text).join(''), finish };
}

function chooseToken(logits: Float32Array, request: GenerateRequest, random: () => number): Omit<NextToken, 'ends'> {
  const normaliser = logSumExp(logits);
  // NaN and +∞ anywhere reach the sum; −∞ is a legitimate way to forbid a token.
  if (!Number.isFinite(normaliser)) throw numeric('a logit of the next token');
  const logprob = (id: number) => (logits[id] ?? 0) - normaliser;
  const id = sampleToken(logits, request.temperature, random);
  return {
    id,
    logprob: logprob(id),
    alternatives: topLogits(logits, request.top).map((each) => ({ id: each.id, logprob: each.logit - normaliser })),
  };
}
