import { promptTooLong, vocabularyIncomplete } from '../../shared/errorCatalog.ts';
import type { NativeFunctions, Pointer } from '../native/functions.ts';

/** How a vocabulary cuts text; llama.cpp's `llama_vocab_type` by name. */
export type VocabularyKind = 'none' | 'sentencepiece' | 'byte-level-bpe' | 'wordpiece' | 'unigram' | 'rwkv' | 'plamo2';

const kinds: readonly VocabularyKind[] = ['none', 'sentencepiece', 'byte-level-bpe', 'wordpiece', 'unigram', 'rwkv', 'plamo2'];

/** Bits of a token's attributes, as llama.h numbers them. */
export const tokenAttribute = { unknown: 1, control: 8, userDefined: 16, byte: 32, leftStrip: 128, rightStrip: 256 } as const;

/** llama.cpp takes lengths as 32-bit numbers; nothing near this fits a context. */
const maximumTextBytes = 2 ** 28;

/** One model's vocabulary, read through llama.cpp. All calls are synchronous and cheap; spellings are kept once read. */
export class Vocabulary {
  readonly kind: VocabularyKind;
  readonly size: number;
  readonly bos: number | null;
  readonly eos: number | null;
  /** The model's own Jinja template. */
  readonly chatTemplate: string | null;
  readonly #functions: NativeFunctions;
  readonly #vocabulary: Pointer;
  readonly #pieces = new Map<number, Uint8Array>();
  readonly #texts = new Map<number, string>();
  readonly #attributes = new Map<number, number>();
  /** A file may leave its vocabulary out; llama.cpp ends the process when it is asked for a token of one. */
  readonly #isLeftOut: boolean;
  #missingBytes: ReadonlySet<number> | null = null;
  #endOfGeneration: readonly number[] | null = null;

  /** `model`: from `llama_model_load_from_file`; it must outlive this object. */
  constructor(functions: NativeFunctions, model: Pointer) {
    this.#functions = functions;
    this.#vocabulary = functions.llama_model_get_vocab(model);
    this.kind = kinds[functions.llama_vocab_type(this.#vocabulary)] ?? 'none';
    this.#isLeftOut = functions.llama_vocab_type(this.#vocabulary) === 0;
    this.size = functions.llama_vocab_n_tokens(this.#vocabulary);
    this.bos = this.#optional(functions.llama_vocab_bos(this.#vocabulary));
    this.eos = this.#optional(functions.llama_vocab_eos(this.#vocabulary));
    this.chatTemplate = functions.llama_model_chat_template(model, null);
  }

  #optional(id: number): number | null {
    return this.has(id) ? id : null;
  }

  /** llama.cpp reads ids unchecked in places: nothing else may reach it. */
  has(id: number): boolean {
    return Number.isInteger(id) && id >= 0 && id < this.size;
  }

  #knows(id: number): boolean {
    return this.has(id) && !this.#isLeftOut;
  }

  /** `utf8` must be well-formed. @throws E_PROMPT_TOO_LONG beyond 256 MiB, E_VOCABULARY_INCOMPLETE */
  tokenize(utf8: Uint8Array, addSpecial: boolean, parseSpecial: boolean): Int32Array {
    if (this.kind === 'none') return new Int32Array(0);
    if (utf8.length > maximumTextBytes) throw promptTooLong(maximumTextBytes);
    if (this.kind === 'sentencepiece') this.#assertSpellable(utf8);
    const text = utf8.length === 0 ? new Uint8Array(1) : utf8;
    const call = (tokens: Int32Array) =>
      this.#functions.llama_tokenize(this.#vocabulary, text, utf8.length, tokens, tokens.length, addSpecial, parseSpecial);
    // Rarely more tokens than bytes; then the first call says how many.
    const tokens = new Int32Array(utf8.length + 8);
    const count = call(tokens);
    if (count >= 0) return tokens.slice(0, count);
    const larger = new Int32Array(-count);
    return larger.slice(0, Math.max(0, call(larger)));
  }

  #assertSpellable(utf8: Uint8Array): void {
    const missing = this.missingBytes();
    if (missing.size === 0) return;
    const byte = utf8.find((value) => missing.has(value));
    if (byte !== undefined) throw vocabularyIncomplete(byte);
  }

  /** The bytes a token stands for; control tokens as they are written (`<|im_end|>`). Do not modify. */
  piece(id: number): Uint8Array {
    const known = this.#pieces.get(id);
    if (known !== undefined) return known;
    const piece = this.#knows(id) ? this.#readPiece(id) : new Uint8Array(0);
    this.#pieces.set(id, piece);
    return piece;
  }

  #readPiece(id: number): Uint8Array {
    const buffer = new Uint8Array(64);
    const length = this.#functions.llama_token_to_piece(this.#vocabulary, id, buffer, buffer.length, 0, true);
    if (length >= 0) return buffer.slice(0, length);
    const larger = new Uint8Array(-length);
    this.#functions.llama_token_to_piece(this.#vocabulary, id, larger, larger.length, 0, true);
    return larger;
  }

  /** A token as the model file spells it: `▁the`, `<0x0A>`, `Ġthe`. */
  text(id: number): string {
    const known = this.#texts.get(id);
    if (known !== undefined) return known;
    const text = this.#knows(id) ? (this.#functions.llama_vocab_get_text(this.#vocabulary, id) ?? '') : '';
    this.#texts.set(id, text);
    return text;
  }

  /** Is any of the given {@link tokenAttribute} bits set? */
  is(id: number, attribute: number): boolean {
    let attributes = this.#attributes.get(id);
    if (attributes === undefined) {
      attributes = this.#knows(id) ? this.#functions.llama_vocab_get_attr(this.#vocabulary, id) : 0;
      this.#attributes.set(id, attributes);
    }
    return (attributes & attribute) !== 0;
  }

  /**
   * Bytes that no token stands for alone. llama.cpp leaves them out of a byte-level text without a word, and ends the process
   * when a SentencePiece text needs one.
   */
  missingBytes(): ReadonlySet<number> {
    if (this.#missingBytes !== null) return this.#missingBytes;
    const missing = new Set(Array.from({ length: 256 }, (_, byte) => byte));
    for (let id = 0; id < this.size && missing.size > 0; id++) {
      const piece = this.is(id, tokenAttribute.control | tokenAttribute.unknown) ? null : this.piece(id);
      if (piece?.length === 1) missing.delete(piece[0] ?? -1);
    }
    this.#missingBytes = missing;
    return missing;
  }

  isEndOfGeneration(id: number): boolean {
    return this.#knows(id) && this.#functions.llama_vocab_is_eog(this.#vocabulary, id);
  }

  /** All tokens after which the model has nothing more to say, ascending. */
  endOfGeneration(): readonly number[] {
    this.#endOfGeneration ??= Array.from({ length: this.size }, (_, id) => id).filter((id) => this.isEndOfGeneration(id));
    return this.#endOfGeneration;
  }
}
