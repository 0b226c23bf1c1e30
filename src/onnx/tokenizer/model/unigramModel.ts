import { Unigram } from '@huggingface/tokenizers';
import { vocabularyIncomplete } from '../../../shared/errorCatalog.ts';
import { rangeOf } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';
import type { ModelConfiguration } from '../tokenizerFile.ts';
import { byteTokens } from './vocabularyModel.ts';
import type { PlacedToken, Tokenised, VocabularyModel } from './vocabularyModel.ts';

type Configuration = Extract<ModelConfiguration, { readonly type: 'Unigram' }>;

const encoder = new TextEncoder();

/** The most likely segmentation under a unigram language model (Kudo 2018); the library searches, this places the pieces. */
export function createUnigramModel(configuration: Configuration): VocabularyModel {
  const library = createLibraryModel(configuration);
  const ids = library.tokens_to_ids;
  const unknown = configuration.unk_id ?? undefined;
  const isUnknown = (piece: string) => (ids.get(piece) ?? unknown) === unknown;

  const tokenise = (word: PlacedText): Tokenised => {
    const tokens: PlacedToken[] = [];
    let position = 0;
    for (const piece of joinUnknown(library.encode([word.text]), isUnknown)) {
      const end = position + piece.length;
      const id = ids.get(piece);
      if (id !== undefined) tokens.push({ id, ...rangeOf(word, position, end) });
      else tokens.push(...spellUnknown(word, position, end));
      position = end;
    }
    return { tokens, exact: position === word.text.length };
  };

  /** Characters that no token spells: their bytes where the vocabulary has all of them, one unknown token otherwise. */
  const spellUnknown = (word: PlacedText, from: number, to: number): PlacedToken[] => {
    if (unknown === undefined) throw vocabularyIncomplete(encoder.encode(word.text.slice(from, to))[0] ?? 0);
    const placed: PlacedToken[] = [];
    let start = from;
    for (const character of configuration.byte_fallback ? word.text.slice(from, to) : '') {
      const range = rangeOf(word, start, start + character.length);
      for (const token of byteTokens(character)) placed.push({ id: ids.get(token) ?? -1, ...range });
      start += character.length;
    }
    const spelled = placed.length > 0 && placed.every(({ id }) => id >= 0);
    return spelled ? placed : [{ id: unknown, ...rangeOf(word, from, to) }];
  };
  return { kind: 'unigram', ids, byteFallback: configuration.byte_fallback, tokenise };
}

function createLibraryModel(configuration: Configuration): Unigram {
  const library = new Unigram(
    { ...configuration, vocab: configuration.vocab.map(([token, score]) => [token, score]) } as unknown as ConstructorParameters<
      typeof Unigram
    >[0],
    '',
  );
  // The library makes the unknown token itself unlikely; the native package only unknown characters.
  for (const [id, [, score]] of configuration.vocab.entries()) library.scores[id] = score;
  return library;
}

/** Neighbouring unknown pieces are one. */
function joinUnknown(pieces: readonly string[], isUnknown: (piece: string) => boolean): string[] {
  const joined: string[] = [];
  let afterUnknown = false;
  for (const piece of pieces) {
    const unknown = isUnknown(piece);
    if (unknown && afterUnknown) joined[joined.length - 1] += piece;
    else joined.push(piece);
    afterUnknown = unknown;
  }
  return joined;
}
