import { BPE } from '@huggingface/tokenizers';
import { tokenizerUnsupported } from '../../../shared/modelFolderErrors.ts';
import { MergeRanks } from './mergeRanks.ts';
import type { PlacedText } from '../placedText.ts';
import { PlacedTextBuilder, rangeOf } from '../placedText.ts';
import type { ModelConfiguration } from '../tokenizerFile.ts';
import { byteTokens } from './vocabularyModel.ts';
import type { PlacedToken, Tokenised, VocabularyModel } from './vocabularyModel.ts';

type Configuration = Extract<ModelConfiguration, { readonly type: 'BPE' }>;

/** Byte-pair encoding (Sennrich et al. 2016); the library merges, this follows the tokens through the word. */
export function createBytePairModel(configuration: Configuration): VocabularyModel {
  if (configuration.dropout !== null && configuration.dropout > 0) throw tokenizerUnsupported('its merges are dropped at random');
  if ((configuration.continuing_subword_prefix ?? '') !== '') throw tokenizerUnsupported('its byte-pair tokens have a prefix');
  return new BytePairModel(configuration);
}

class BytePairModel implements VocabularyModel {
  readonly kind = 'bpe';
  readonly ids: ReadonlyMap<string, number>;
  readonly byteFallback: boolean;
  readonly #library: BPE;
  readonly #unknown: number | undefined;
  readonly #fuseUnknown: boolean;
  readonly #suffix: string;
  readonly #ignoreMerges: boolean;

  constructor(configuration: Configuration) {
    this.#library = createLibraryModel(configuration);
    this.ids = configuration.vocab;
    this.byteFallback = configuration.byte_fallback;
    this.#unknown = configuration.unk_token === null ? undefined : this.ids.get(configuration.unk_token);
    this.#fuseUnknown = configuration.fuse_unk;
    this.#suffix = configuration.end_of_word_suffix ?? '';
    this.#ignoreMerges = configuration.ignore_merges;
  }

  tokenise(word: PlacedText): Tokenised {
    const whole = this.#ignoreMerges ? this.ids.get(word.text) : undefined;
    if (whole !== undefined) return { tokens: [{ id: whole, ...rangeOf(word, 0, word.text.length) }], exact: true };
    const spelled = this.#unknown === undefined ? this.#withoutUnknown(word) : word;
    if (spelled.text === '') return { tokens: [], exact: true };
    return this.#follow(spelled, this.#library.encode([spelled.text]));
  }

  /** Without an unknown token, characters that have none are left out before merging: their neighbours may then merge. */
  #withoutUnknown(word: PlacedText): PlacedText {
    const characters = this.#charactersOf(word.text);
    if (characters.every(({ spelling }) => this.#known(spelling) || this.#bytesOf(spelling) !== null)) return word;
    const builder = new PlacedTextBuilder(word);
    for (const { from, to, spelling } of characters) {
      if (this.#known(spelling) || this.#bytesOf(spelling) !== null) builder.copy(word, from, to);
    }
    return builder.build();
  }

  #charactersOf(text: string): { readonly from: number; readonly to: number; readonly spelling: string }[] {
    let from = 0;
    return Array.from(text, (character) => {
      const to = from + character.length;
      const found = { from, to, spelling: to === text.length ? character + this.#suffix : character };
      from = to;
      return found;
    });
  }

  #known(spelling: string): boolean {
    return this.ids.has(spelling);
  }

  /** Ids of a character's bytes, where the vocabulary falls back on bytes and has them all. */
  #bytesOf(spelling: string): number[] | null {
    if (!this.byteFallback) return null;
    const found = byteTokens(spelling).map((token) => this.ids.get(token));
    return found.every((id) => id !== undefined) ? found : null;
  }

  #follow(word: PlacedText, spellings: readonly string[]): Tokenised {
    const characters = this.#charactersOf(word.text);
    const tokens: PlacedToken[] = [];
    let next = 0;
    let character = 0;
    let afterUnknown = false;
    while (character < characters.length) {
      const { from, to, spelling } = characters[character] ?? { from: 0, to: 0, spelling: '' };
      const bytes = this.#known(spelling) ? null : this.#bytesOf(spelling);
      if (this.#known(spelling)) {
        const token = spellings[next] ?? '';
        let spelled = '';
        let end = from;
        while (spelled.length < token.length && character < characters.length) {
          spelled += characters[character]?.spelling ?? '';
          end = characters[character]?.to ?? end;
          character++;
        }
        const id = this.ids.get(token);
        if (spelled !== token || id === undefined) return this.#somewhere(word, spellings);
        tokens.push({ id, ...rangeOf(word, from, end) });
        next++;
        afterUnknown = false;
        continue;
      }
      character++;
      if (bytes !== null) {
        for (const id of bytes) tokens.push({ id, ...rangeOf(word, from, to) });
        next += bytes.length;
        afterUnknown = false;
        continue;
      }
      const place = rangeOf(word, from, to);
      const previous = tokens.at(-1);
      next++;
      if (afterUnknown && this.#fuseUnknown && previous !== undefined)
        tokens[tokens.length - 1] = { ...previous, end: Math.max(previous.end, place.end) };
      else if (this.#unknown !== undefined) tokens.push({ id: this.#unknown, ...place });
      afterUnknown = true;
    }
    return next === spellings.length ? { tokens, exact: true } : this.#somewhere(word, spellings);
  }

  /** A vocabulary whose merges do not spell their parts (a damaged file): the ids as they are, somewhere in the word. */
  #somewhere(word: PlacedText, spellings: readonly string[]): Tokenised {
    const place = rangeOf(word, 0, word.text.length);
    const tokens = spellings.flatMap((token) => {
      const id = this.ids.get(token) ?? this.#unknown;
      return id === undefined ? [] : [{ id, ...place }];
    });
    return { tokens, exact: false };
  }
}

/** Its two tables are put in place of those it would make for itself, which takes several times as long as to parse the file. */
function createLibraryModel(configuration: Configuration): BPE {
  const library = new BPE({
    ...configuration,
    vocab: {},
    merges: [],
    unk_token: configuration.unk_token ?? undefined,
    continuing_subword_prefix: undefined,
    end_of_word_suffix: configuration.end_of_word_suffix ?? undefined,
  } as unknown as ConstructorParameters<typeof BPE>[0]);
  library.tokens_to_ids = configuration.vocab;
  library.bpe_ranks = new MergeRanks(configuration.merges);
  return library;
}
