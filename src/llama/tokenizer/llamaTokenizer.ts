import type { EncodeOptions, Tokenizer } from '../../model/model.ts';
import { promptInvalid } from '../../shared/errorCatalog.ts';
import type { TextRange, Token } from '../../shared/tokens.ts';
import { alignBytes } from './alignBytes.ts';
import type { Alignment } from '../../model/runtime/alignment.ts';
import { alignNormalised } from './alignNormalised.ts';
import { alignWordPiece } from './alignWordPiece.ts';
import { renderChatTemplate } from '../../model/chatTemplate/renderChatTemplate.ts';
import { decodeTokens, tokenText } from './tokenText.ts';
import { tokenAttribute } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What the tokeniser puts around every text when special tokens are wanted. */
interface Affixes {
  readonly before: Int32Array;
  readonly after: Int32Array;
}

export function createTokenizer(vocabulary: Vocabulary): Tokenizer {
  return new LlamaTokenizer(vocabulary);
}

const encoder = new TextEncoder();
const loneSurrogate = /\p{Surrogate}/u;

class LlamaTokenizer implements Tokenizer {
  readonly #vocabulary: Vocabulary;
  #affixes: Affixes | null = null;
  #spacePrefix: boolean | null = null;
  #spacePattern: RegExp | null = null;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  async encode(text: string, options: EncodeOptions = {}) {
    const { parseSpecial = true, addSpecial = true } = options;
    const lone = loneSurrogate.exec(text);
    if (lone !== null) throw promptInvalid(lone.index);
    const ids = this.#vocabulary.tokenize(encoder.encode(text), false, parseSpecial);
    const { ranges, exact } = this.#align(text, ids, parseSpecial);
    const tokens = Array.from(ids, (id, index) => this.#token(id, ranges[index] ?? { start: 0, end: 0 }));
    if (!addSpecial) return { tokens, approximateOffsets: !exact };
    const { before, after } = this.#readAffixes();
    const added = (start: number) => (id: number) => this.#token(id, { start, end: start });
    return {
      tokens: [...Array.from(before, added(0)), ...tokens, ...Array.from(after, added(text.length))],
      approximateOffsets: !exact,
    };
  }

  #token(id: number, { start, end }: TextRange): Token {
    return { id, text: tokenText(this.#vocabulary, id), start, end, special: this.#vocabulary.is(id, tokenAttribute.control) };
  }

  #align(text: string, ids: Int32Array, parseSpecial: boolean): Alignment {
    const { kind } = this.#vocabulary;
    if (kind === 'wordpiece') return alignWordPiece(text, ids, this.#vocabulary, parseSpecial);
    if (kind === 'unigram') return alignNormalised(text, ids, this.#vocabulary, this.#space());
    const escapeSpaces = kind === 'sentencepiece';
    const spacePrefix = escapeSpaces && this.#insertsSpace();
    const ranges = alignBytes(text, ids, this.#vocabulary, { escapeSpaces, spacePrefix, parseSpecial });
    return ranges === null
      ? { ...alignNormalised(text, ids, this.#vocabulary, this.#space()), exact: false }
      : { ranges, exact: true };
  }

  /** The file may switch the inserted space off; what happens to a letter tells for sure. */
  #insertsSpace(): boolean {
    this.#spacePrefix ??= decodeTokens(this.#vocabulary, this.#vocabulary.tokenize(encoder.encode('a'), false, false)).startsWith(
      ' ',
    );
    return this.#spacePrefix;
  }

  /** Which characters the normaliser turns into spaces: all kinds, or none but the space itself. */
  #space(): RegExp {
    this.#spacePattern ??= this.#sameIds('a\na', 'a a') ? /^\s/u : /^ /u;
    return this.#spacePattern;
  }

  #sameIds(a: string, b: string): boolean {
    const ids = (text: string) => this.#vocabulary.tokenize(encoder.encode(text), false, false).join();
    return ids(a) === ids(b);
  }

  /** llama.cpp adds the same tokens to every text, so they are found once, on one letter. */
  #readAffixes(): Affixes {
    if (this.#affixes !== null) return this.#affixes;
    const letter = encoder.encode('a');
    const bare = this.#vocabulary.tokenize(letter, false, false);
    const full = this.#vocabulary.tokenize(letter, true, false);
    let beforeLength = 0;
    while (beforeLength + bare.length < full.length && !bare.every((id, index) => full[beforeLength + index] === id))
      beforeLength++;
    this.#affixes = { before: full.slice(0, beforeLength), after: full.slice(beforeLength + bare.length) };
    return this.#affixes;
  }

  async decode(ids: readonly number[]): Promise<string> {
    return decodeTokens(this.#vocabulary, ids);
  }

  async pieces(ids: readonly number[]): Promise<string[]> {
    return ids.map((id) => tokenText(this.#vocabulary, id));
  }

  async renderChat(...[messages, options]: Parameters<Tokenizer['renderChat']>): Promise<string> {
    const { bos, eos, chatTemplate } = this.#vocabulary;
    return renderChatTemplate(chatTemplate, messages, {
      bosToken: bos === null ? '' : this.#vocabulary.text(bos),
      eosToken: eos === null ? '' : this.#vocabulary.text(eos),
      addGenerationPrompt: options?.addGenerationPrompt ?? true,
    });
  }

  async special() {
    const { bos, eos, chatTemplate } = this.#vocabulary;
    return { bos, eos, endOfGeneration: this.#vocabulary.endOfGeneration(), chatTemplate };
  }
}
