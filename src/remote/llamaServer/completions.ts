/**
 * What may follow a prompt, from llama-server's `/completion`. One token is asked for each time; the server keeps the prompt it has
 * read (`cache_prompt`), so a prompt that begins like the last one costs only the rest. Its `logprob` are those of the plain softmax
 * over the whole vocabulary (`post_sampling_probs: false`), whatever is sampled: a bias on one token makes the server report that
 * token and changes no number. `checkForcing` makes sure that this server does so.
 */
import { serverAnswer, serverChanged, serverProbabilities } from '../../shared/serverErrors.ts';
import type { HttpClient } from '../httpClient.ts';
import type { ListedToken, NextTokens } from '../serverProtocol.ts';
import { checked } from '../checkedAnswer.ts';
import { type Completion, completionSchema } from './answers.ts';

/** More than any logit can stand above another. */
const forcingBias = 10_000;
/** Below this the server says that a probability is 0 in 32 bits. */
const leastLogprob = -1e30;
/** Nats by which the same number may differ from one answer to the next: the server reads in batches of other sizes. */
const tolerance = 0.05;
/** Tokens listed when forcing is tried: among them is one that is a whole character. */
const trialLength = 200;
/** More tokens than any vocabulary has. */
const wholeVocabulary = 4_000_000;

type Reported = Completion['completion_probabilities'][number];

export class Completions {
  /** Tokens in the vocabulary; ids beyond it are refused. */
  vocabulary = 0;
  readonly #client: HttpClient;
  /** A token that is a whole character: forced where the most likely token is only part of one. */
  readonly #carrier: number;
  readonly #bytes = new Map<number, Uint8Array>();
  #model: string | null = null;
  #canForce = false;

  constructor(client: HttpClient, carrier: number) {
    this.#client = client;
    this.#carrier = carrier;
  }

  bytesOf(id: number): Uint8Array | undefined {
    return this.#bytes.get(id);
  }

  async nextTokens(prefix: Int32Array, count: number, signal: AbortSignal): Promise<NextTokens> {
    const plain = await this.#complete(prefix, count, null, signal);
    const reported = plain.reported ?? (await this.#throughCarrier(prefix, count, signal));
    const top = this.#listOf(reported);
    if (top.length === 0) throw serverProbabilities(this.#client.address, 'it lists none for the next token');
    const sampled = plain.reported?.id === top[0]?.id;
    // A token that is not reported is part of a character, which ends nothing.
    return { top, ends: plain.reported === null ? false : sampled ? plain.ends : null };
  }

  async logprobOf(prefix: Int32Array, id: number, signal: AbortSignal): Promise<number | null> {
    if (!this.#canForce) return null;
    const { reported } = await this.#complete(prefix, 1, id, signal);
    return reported?.id === id ? listedToken(reported).logprob : null;
  }

  async ends(prefix: Int32Array, id: number, signal: AbortSignal): Promise<boolean> {
    return (await this.#complete(prefix, 1, id, signal)).ends;
  }

  /**
   * Whether a forced token is reported with its own, unchanged log-probability: a second one is forced, and its number compared with
   * the one it had in the list that came with the first. @throws E_SERVER_PROBABILITIES when the server lists no probabilities at all
   */
  async checkForcing(signal: AbortSignal): Promise<void> {
    const prefix = Int32Array.of(this.#carrier);
    const { reported } = await this.#complete(prefix, trialLength, this.#carrier, signal);
    const listed = this.#listOf(reported);
    if (listed.length === 0) throw serverProbabilities(this.#client.address, 'it lists none for the next token');
    const other = listed.find(({ id }) => id !== this.#carrier && isText(this.#bytes.get(id)));
    if (reported?.id !== this.#carrier || other === undefined) return;
    const second = (await this.#complete(prefix, 1, other.id, signal)).reported;
    this.#canForce = second?.id === other.id && Math.abs(second.logprob - other.logprob) < tolerance;
  }

  /** How many tokens there are, by listing them all once: what is forced changes no length. */
  async countVocabulary(signal: AbortSignal): Promise<number> {
    const { reported } = await this.#complete(Int32Array.of(this.#carrier), wholeVocabulary, this.#carrier, signal);
    return this.#listOf(reported).length;
  }

  /** Where the most likely token is part of a character, the list that comes with another token. It is the same list only where forcing changes nothing. */
  async #throughCarrier(prefix: Int32Array, count: number, signal: AbortSignal): Promise<Reported | null> {
    if (!this.#canForce) {
      throw serverProbabilities(
        this.#client.address,
        'the most likely token is part of a character, and it reports only whole ones',
      );
    }
    const { reported } = await this.#complete(prefix, count, this.#carrier, signal);
    return reported?.id === this.#carrier ? reported : null;
  }

  #listOf(reported: Reported | null): ListedToken[] {
    const top = (reported?.top_logprobs ?? []).map(listedToken).sort((a, b) => b.logprob - a.logprob || a.id - b.id);
    if (new Set(top.map(({ id }) => id)).size < top.length) throw this.#broken('it lists a token twice');
    return top;
  }

  async #complete(prefix: Int32Array, count: number, forced: number | null, signal: AbortSignal) {
    const answer = checked(
      this.#client.address,
      completionSchema,
      await this.#client.ask({
        path: '/completion',
        speed: 'slow',
        signal,
        body: {
          prompt: Array.from(prefix),
          n_predict: 1,
          n_probs: Math.max(1, count),
          post_sampling_probs: false,
          temperature: 0,
          seed: 0,
          // None that punishes repetition: the most likely token is to be the sampled one.
          samplers: ['temperature'],
          backend_sampling: false,
          stream: false,
          cache_prompt: true,
          stop: [],
          ...(forced === null ? {} : { logit_bias: [[forced, forcingBias]] }),
          response_fields: ['completion_probabilities', 'stop_type', 'truncated', 'model', 'tokens_predicted'],
        },
      }),
    );
    this.#checkModel(answer.model);
    if (answer.truncated === true && answer.completion_probabilities.length === 0) throw this.#broken('it cut the prompt short');
    // A server that goes on until a character is whole reports only the token that completes it: another place.
    const [reported = null] = answer.tokens_predicted === 1 ? answer.completion_probabilities : [];
    if (reported !== null) this.#remember(reported);
    return { reported, ends: answer.stop_type === 'eos' };
  }

  #remember(reported: Reported): void {
    for (const { id, bytes } of [reported, ...reported.top_logprobs]) {
      if (this.vocabulary > 0 && id >= this.vocabulary) throw this.#broken(`it lists a token ${id} beyond its vocabulary`);
      if (bytes.length > 0 && !this.#bytes.has(id)) this.#bytes.set(id, Uint8Array.from(bytes));
    }
  }

  #checkModel(model: string | undefined): void {
    if (model === undefined) return;
    this.#model ??= model;
    if (model !== this.#model) throw serverChanged(this.#client.address, baseName(this.#model), baseName(model));
  }

  #broken(why: string) {
    return serverAnswer(this.#client.address, why);
  }
}

function listedToken({ id, logprob }: { readonly id: number; readonly logprob: number }): ListedToken {
  return { id, logprob: logprob < leastLogprob ? Number.NEGATIVE_INFINITY : Math.min(0, logprob) };
}

/** Whether these are whole characters. */
function isText(bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined || bytes.length === 0) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Of a path on the server only the file's name. */
export function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, '').slice(0, 200);
}
