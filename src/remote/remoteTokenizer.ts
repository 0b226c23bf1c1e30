/** The Tokenizer of a server's model: the server splits and joins, and what it says of single tokens is kept. */
import type { ChatMessage, EncodeOptions, Tokenized, Tokenizer } from '../model/model.ts';
import { promptInvalid, templateMissing } from '../shared/errorCatalog.ts';
import type { Token } from '../shared/tokens.ts';
import { alignPieces } from './alignPieces.ts';
import { bracketed } from './controlToken.ts';
import type { Piece, ServerConnection } from './serverProtocol.ts';

/** Runs one call with a signal that follows the engine's cancel flag. */
export type Run = <T>(task: (signal: AbortSignal) => Promise<T>) => Promise<T>;

interface Affixes {
  readonly before: readonly Piece[];
  readonly after: readonly Piece[];
}

const loneSurrogate = /\p{Surrogate}/u;
/** How vocabularies spell tokens that end a response; each is tried on the server. */
const endTexts = ['<|endoftext|>', '<|end_of_text|>', '</s>', '<eos>', '<|im_end|>', '<|eot_id|>', '<end_of_turn>', '<|end|>'];
const plain = { addSpecial: false, parseSpecial: true };

export class RemoteTokenizer implements Tokenizer {
  readonly #server: ServerConnection;
  readonly #run: Run;
  readonly #labels = new Map<number, string>();
  readonly #control = new Map<number, boolean>();
  #affixes: Affixes | null = null;
  #endOfGeneration: readonly number[] | null = null;

  constructor(server: ServerConnection, run: Run) {
    this.#server = server;
    this.#run = run;
  }

  encode(text: string, { parseSpecial = true, addSpecial = true }: EncodeOptions = {}): Promise<Tokenized> {
    return this.#run(async (signal) => {
      const lone = loneSurrogate.exec(text);
      if (lone !== null) throw promptInvalid(lone.index);
      const pieces = text === '' ? [] : await this.#server.split(text, { addSpecial: false, parseSpecial }, signal);
      const { ranges, exact } = alignPieces(
        text,
        pieces.map(({ bytes }) => bytes),
      );
      const tokens: Token[] = [];
      for (const [index, piece] of pieces.entries()) {
        tokens.push(await this.#token(piece, ranges[index] ?? { start: 0, end: 0 }, signal));
      }
      if (!addSpecial) return { tokens, approximateOffsets: !exact };
      const { before, after } = await this.#readAffixes(signal);
      const added = (list: readonly Piece[], start: number) =>
        Promise.all(list.map((piece) => this.#token(piece, { start, end: start }, signal)));
      return {
        tokens: [...(await added(before, 0)), ...tokens, ...(await added(after, text.length))],
        approximateOffsets: !exact,
      };
    });
  }

  decode(ids: readonly number[]): Promise<string> {
    return this.#run(async (signal) => (ids.length === 0 ? '' : await this.#server.join(ids, signal)));
  }

  pieces(ids: readonly number[]): Promise<string[]> {
    return this.#run((signal) => this.labels(ids, signal));
  }

  renderChat(messages: readonly ChatMessage[], options?: { readonly addGenerationPrompt?: boolean }): Promise<string> {
    return this.#run(async (signal) => {
      if (this.#server.chatTemplate === null) throw templateMissing();
      return await this.#server.renderChat(messages, options?.addGenerationPrompt ?? true, signal);
    });
  }

  special(): ReturnType<Tokenizer['special']> {
    return this.#run(async (signal) => {
      const { bos, eos, chatTemplate } = this.#server;
      return {
        bos: bos === null ? null : await this.#single(bos, signal),
        eos: eos === null ? null : await this.#single(eos, signal),
        endOfGeneration: await this.#ends(signal),
        chatTemplate,
      };
    });
  }

  /** Texts of single tokens; each is asked for once. */
  async labels(ids: readonly number[], signal: AbortSignal): Promise<string[]> {
    const labels: string[] = [];
    for (const id of ids) {
      const label = this.#labels.get(id) ?? (await this.#server.join([id], signal));
      this.#labels.set(id, label);
      labels.push(label);
    }
    return labels;
  }

  async #token({ id, bytes }: Piece, { start, end }: { readonly start: number; readonly end: number }, signal: AbortSignal) {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    this.#labels.set(id, text);
    return { id, text, start, end, special: await this.#isControl(id, text, signal) };
  }

  async #isControl(id: number, text: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#control.get(id);
    if (known !== undefined) return known;
    const isControl = bracketed.test(text) && (await this.#server.isControl(id, text, signal));
    this.#control.set(id, isControl);
    return isControl;
  }

  /** The same tokens are put around every text, so they are found once, on one letter. */
  async #readAffixes(signal: AbortSignal): Promise<Affixes> {
    if (this.#affixes !== null) return this.#affixes;
    const bare = await this.#server.split('a', { addSpecial: false, parseSpecial: false }, signal);
    const full = await this.#server.split('a', { addSpecial: true, parseSpecial: false }, signal);
    let first = 0;
    while (first + bare.length < full.length && !bare.every(({ id }, index) => full[first + index]?.id === id)) first++;
    this.#affixes = { before: full.slice(0, first), after: full.slice(first + bare.length) };
    return this.#affixes;
  }

  /** The id of a token that is written so, or null. */
  async #single(text: string, signal: AbortSignal): Promise<number | null> {
    const pieces = await this.#server.split(text, plain, signal);
    return pieces.length === 1 ? (pieces[0]?.id ?? null) : null;
  }

  /** Of the usual end tokens, those this vocabulary has and after which this server stops. */
  async #ends(signal: AbortSignal): Promise<readonly number[]> {
    if (this.#endOfGeneration !== null) return this.#endOfGeneration;
    const ends = new Set<number>();
    const before = (await this.#server.split('a', plain, signal)).map(({ id }) => id);
    for (const text of new Set([...(this.#server.eos === null ? [] : [this.#server.eos]), ...endTexts])) {
      const id = await this.#single(text, signal);
      if (id !== null && (await this.#server.ends(Int32Array.from(before), id, signal))) ends.add(id);
    }
    this.#endOfGeneration = [...ends].sort((a, b) => a - b);
    return this.#endOfGeneration;
  }
}
