/** vLLM's tokeniser, from `/tokenize` and `/detokenize`. */
import type { ChatMessage } from '../../model/model.ts';
import { templateFailed } from '../../shared/errorCatalog.ts';
import { LoupeError } from '../../shared/errors.ts';
import { serverAnswer, serverUnsupported } from '../../shared/serverErrors.ts';
import { checked } from '../checkedAnswer.ts';
import type { HttpClient } from '../httpClient.ts';
import type { Piece } from '../serverProtocol.ts';
import { detokenizeSchema, tokenizeSchema } from './answers.ts';
import { spelledBytes, type Spelling, spellingOf, spellingProbe } from './vocabularySpelling.ts';

/** Ids asked for at once when the vocabulary is counted: more than any gap between tokens. */
const block = 65_536;
/** Blocks that are looked at: 4 million tokens. */
const mostBlocks = 64;

export class VllmTokens {
  readonly #client: HttpClient;
  readonly #model: string;
  readonly #spelling: Spelling;
  /** Tokens that both prompt and response may have. */
  readonly held: number;
  /** A token that is a whole letter, and how it reads: other tokens are read behind it, since the first of a text may lose its space. */
  readonly carrier: number;
  #carrierText = '';

  private constructor(client: HttpClient, model: string, spelling: Spelling, carrier: number, held: number) {
    this.#client = client;
    this.#model = model;
    this.#spelling = spelling;
    this.carrier = carrier;
    this.held = held;
  }

  /** @throws E_SERVER_UNSUPPORTED, naming what the server lacks */
  static async open(client: HttpClient, model: string, signal: AbortSignal): Promise<VllmTokens> {
    const ask = async (prompt: string) => {
      const body = { model, prompt, add_special_tokens: false, return_token_strs: true };
      const answer = await client.ask({ path: '/tokenize', body, speed: 'quick', signal });
      if (answer === null) throw serverUnsupported(client.address, 'it has no /tokenize, so what its tokens are is not known');
      return checked(client.address, tokenizeSchema, answer);
    };
    const probed = await ask(spellingProbe);
    if (probed.token_strs === undefined || probed.token_strs === null) {
      throw serverUnsupported(client.address, 'its /tokenize does not tell how tokens are spelled (return_token_strs)');
    }
    const spelling = spellingOf(probed.token_strs);
    if (spelling === null) throw serverUnsupported(client.address, 'its vocabulary is spelled in a way that is not known here');
    const carrier = (await ask('a')).tokens.at(-1);
    if (carrier === undefined) throw serverUnsupported(client.address, 'its model has no tokens for a text');
    const tokens = new VllmTokens(client, model, spelling, carrier, probed.max_model_len);
    tokens.#carrierText = await tokens.#decode([carrier], signal);
    return tokens;
  }

  async split(prompt: string, addSpecial: boolean, signal: AbortSignal): Promise<Piece[]> {
    return await this.#tokenize({ prompt, add_special_tokens: addSpecial }, signal);
  }

  async join(ids: readonly number[], signal: AbortSignal): Promise<string> {
    const text = await this.#decode([this.carrier, ...ids], signal);
    if (!text.startsWith(this.#carrierText)) throw serverAnswer(this.#client.address, 'tokens read differently behind others');
    return text.slice(this.#carrierText.length);
  }

  /** Whether the server's model has a chat template. */
  async canChat(signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#chat([{ role: 'user', content: 'a' }], true, signal)).length > 0;
    } catch (error) {
      if (error instanceof LoupeError && error.code === 'E_SERVER_REFUSED') return false;
      throw error;
    }
  }

  /** The server tells only the tokens of a rendered conversation: their text must give them again. @throws E_TEMPLATE */
  async renderChat(messages: readonly ChatMessage[], addGenerationPrompt: boolean, signal: AbortSignal): Promise<string> {
    try {
      const pieces = await this.#chat(messages, addGenerationPrompt, signal);
      const text = Buffer.concat(pieces.map(({ bytes }) => bytes)).toString('utf8');
      const again = await this.split(text, false, signal);
      if (again.map(({ id }) => id).join() === pieces.map(({ id }) => id).join()) return text;
      throw templateFailed('the server tells its tokens alone, and their text gives other tokens');
    } catch (error) {
      if (error instanceof LoupeError && error.code === 'E_SERVER_REFUSED') throw templateFailed(error.parts.why);
      throw error;
    }
  }

  /** One more than the largest id that reads as anything. */
  async countVocabulary(signal: AbortSignal): Promise<number> {
    /** Whether any id from `from` on, in this block, is a token. */
    const isAny = async (from: number, to: number) =>
      (await this.#decode(
        Array.from({ length: to - from }, (_, index) => from + index),
        signal,
      )) !== '';
    let blocks = 0;
    while (blocks < mostBlocks && (await isAny(blocks * block, (blocks + 1) * block))) blocks++;
    if (blocks === 0) throw serverUnsupported(this.#client.address, 'no id reads as a token');
    const end = blocks * block;
    let [low, high] = [end - block, end];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (await isAny(middle, end)) low = middle;
      else high = middle;
    }
    return high;
  }

  #chat(messages: readonly ChatMessage[], addGenerationPrompt: boolean, signal: AbortSignal): Promise<Piece[]> {
    return this.#tokenize({ messages, add_generation_prompt: addGenerationPrompt, add_special_tokens: false }, signal);
  }

  async #tokenize(asked: object, signal: AbortSignal): Promise<Piece[]> {
    const body = { model: this.#model, ...asked, return_token_strs: true };
    const answer = await this.#client.ask({ path: '/tokenize', body, speed: 'quick', signal });
    const { tokens, token_strs: spelled } = checked(this.#client.address, tokenizeSchema, answer);
    if (spelled?.length !== tokens.length) throw serverAnswer(this.#client.address, 'it does not spell every token');
    return tokens.map((id, index) => ({ id, bytes: spelledBytes(spelled[index] ?? '', this.#spelling) }));
  }

  async #decode(tokens: readonly number[], signal: AbortSignal): Promise<string> {
    const body = { model: this.#model, tokens };
    const answer = await this.#client.ask({ path: '/detokenize', body, speed: 'quick', signal });
    if (answer === null) throw serverUnsupported(this.#client.address, 'it has no /detokenize');
    return checked(this.#client.address, detokenizeSchema, answer).prompt;
  }
}
