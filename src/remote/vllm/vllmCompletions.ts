/**
 * What may follow a prompt, from vLLM's `/v1/completions` with token ids. `logprobs` lists the likeliest tokens of the plain softmax
 * (`--logprobs-mode raw_logprobs`, its default), `prompt_logprobs` tells the number of any token that stands in the prompt.
 * `checkNumbers` makes sure that both are the same numbers on this server.
 */
import { LoupeError } from '../../shared/errors.ts';
import { serverAnswer, serverChanged, serverProbabilities } from '../../shared/serverErrors.ts';
import { checked } from '../checkedAnswer.ts';
import type { HttpClient } from '../httpClient.ts';
import type { ListedToken, NextTokens } from '../serverProtocol.ts';
import { completionSchema } from './answers.ts';

/** 20 are listed unless the server was told otherwise (`--max-logprobs`). */
const lengths = [20, 5, 1];
/** Where vLLM's numbers end: it writes −9999 for −∞. */
const leastLogprob = -9_000;
/** Nats by which the same number may differ from one answer to the next: the server reads in batches of other sizes. */
const tolerance = 0.05;

export class VllmCompletions {
  /** Tokens in the vocabulary; ids beyond it are refused. 0: not known yet. */
  vocabulary = 0;
  readonly #client: HttpClient;
  readonly #model: string;
  readonly #carrier: number;
  /** Tokens that the server lists at most. */
  #most = 1;

  constructor(client: HttpClient, model: string, carrier: number) {
    this.#client = client;
    this.#model = model;
    this.#carrier = carrier;
  }

  async nextTokens(prefix: Int32Array, count: number, signal: AbortSignal): Promise<NextTokens> {
    const asked = Math.min(this.#most, Math.max(1, count));
    // Two tokens: only an end comes alone.
    const { logprobs, ended } = await this.#complete({ prompt: Array.from(prefix), max_tokens: 2, logprobs: asked }, signal);
    const top = this.#listOf(logprobs?.top_logprobs[0]);
    const sampled = idOf(logprobs?.tokens[0] ?? '');
    return { top: top.slice(0, asked), ends: sampled === top[0]?.id ? ended : null };
  }

  async logprobOf(prefix: Int32Array, id: number, signal: AbortSignal): Promise<number> {
    const prompt = [...prefix, id];
    const { promptLogprobs } = await this.#complete({ prompt, max_tokens: 1, prompt_logprobs: 1 }, signal);
    const told = promptLogprobs?.length === prompt.length ? promptLogprobs.at(-1)?.[String(id)] : undefined;
    if (told === undefined) throw this.#lacking('it tells none for the tokens of a prompt (prompt_logprobs)');
    return nats(told.logprob);
  }

  /** Forced twice: where the first ends the response, there is no second. */
  async ends(prefix: Int32Array, id: number, signal: AbortSignal): Promise<boolean> {
    const forced = { allowed_token_ids: [id], logprobs: 1 };
    const { logprobs, ended } = await this.#complete({ prompt: Array.from(prefix), max_tokens: 2, ...forced }, signal);
    if (idOf(logprobs?.tokens[0] ?? '') !== id)
      throw this.#lacking('it does not keep to the tokens that are allowed (allowed_token_ids)');
    return ended;
  }

  /** A control token adds nothing to a text that leaves control tokens out. */
  async isControl(id: number, signal: AbortSignal): Promise<boolean> {
    const prompt = [this.#carrier];
    return (
      (await this.#complete({ prompt, max_tokens: 1, allowed_token_ids: [id], skip_special_tokens: true }, signal)).text === ''
    );
  }

  /**
   * Finds how many tokens the server lists. Null: fewer than the vocabulary has; else all of them, and how many those are: a model may
   * have more than its tokeniser. (`logprobs: -1` lists none where this was read; `prompt_logprobs: -1` lists all, if it is allowed.)
   * @throws E_SERVER_PROBABILITIES, E_SERVER_REFUSED
   */
  async findLength(signal: AbortSignal): Promise<number | null> {
    const all = { prompt: [this.#carrier, this.#carrier], max_tokens: 1, prompt_logprobs: -1 };
    const whole = await this.#unlessRefused(all, signal);
    if (whole !== null) return (this.#most = Object.keys(whole.promptLogprobs?.at(-1) ?? {}).length);
    for (const length of lengths) {
      const answer = await this.#unlessRefused({ prompt: [this.#carrier], max_tokens: 1, logprobs: length }, signal);
      if (answer === null) continue;
      this.#most = length;
      return null;
    }
    throw this.#lacking('it lists none for the next token');
  }

  /** Lists and single numbers must agree, and be log-probabilities of one distribution. @throws E_SERVER_PROBABILITIES */
  async checkNumbers(signal: AbortSignal): Promise<void> {
    const prefix = Int32Array.of(this.#carrier);
    const { top } = await this.nextTokens(prefix, 20, signal);
    const sum = top.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
    const last = top.at(-1);
    const single = last === undefined ? Number.NaN : await this.logprobOf(prefix, last.id, signal);
    if (sum > 1.001 || !(Math.abs(single - (last?.logprob ?? Number.NaN)) < tolerance)) {
      throw this.#lacking(
        'its logprobs are not those of the plain softmax, as prompt_logprobs are (--logprobs-mode raw_logprobs)',
      );
    }
  }

  #listOf(told: Readonly<Record<string, number>> | null | undefined): ListedToken[] {
    const top = Object.entries(told ?? {}).map(([token, logprob]) => ({ id: idOf(token), logprob: nats(logprob) }));
    if (top.length === 0) throw this.#lacking('it lists none for the next token');
    if (this.vocabulary > 0 && top.some(({ id }) => id >= this.vocabulary)) {
      throw serverAnswer(this.#client.address, 'it lists a token beyond its vocabulary');
    }
    return top.sort((a, b) => b.logprob - a.logprob || a.id - b.id);
  }

  /** Null where the server takes what was asked as a mistake. */
  async #unlessRefused(asked: object, signal: AbortSignal) {
    try {
      return await this.#complete(asked, signal);
    } catch (error) {
      if (error instanceof LoupeError && error.code === 'E_SERVER_REFUSED') return null;
      throw error;
    }
  }

  async #complete(asked: object, signal: AbortSignal) {
    const body = {
      model: this.#model,
      n: 1,
      temperature: 0,
      seed: 0,
      stream: false,
      echo: false,
      stop: [],
      repetition_penalty: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      return_tokens_as_token_ids: true,
      add_special_tokens: false,
      ...asked,
    };
    const answer = await this.#client.ask({ path: '/v1/completions', body, speed: 'slow', signal });
    const { model, choices } = checked(this.#client.address, completionSchema, answer);
    if (model !== this.#model) throw serverChanged(this.#client.address, this.#model, model.slice(0, 200));
    const [choice] = choices;
    const {
      logprobs = null,
      prompt_logprobs: promptLogprobs = null,
      finish_reason: reason,
      text,
    } = choice as (typeof choices)[number];
    return { logprobs, promptLogprobs, text, ended: reason === 'stop' && logprobs?.tokens.length === 1 };
  }

  #lacking(why: string) {
    return serverProbabilities(this.#client.address, why);
  }
}

/** −1 for what names no token. */
function idOf(token: string): number {
  const [, digits] = /^token_id:(\d+)$/.exec(token) ?? [];
  return digits === undefined ? -1 : Number(digits);
}

function nats(logprob: number): number {
  return logprob < leastLogprob ? Number.NEGATIVE_INFINITY : Math.min(0, logprob);
}
