import type { TextRange } from '../../../shared/tokens.ts';
import type { PlacedText } from '../placedText.ts';

/** A token and the characters of the prompt it stands for. */
export interface PlacedToken extends TextRange {
  readonly id: number;
}

/** Cuts one word (what pre-tokenisers left) into tokens. */
export interface VocabularyModel {
  readonly kind: 'bpe' | 'wordpiece' | 'unigram';
  /** Token → id, without added tokens. */
  readonly ids: ReadonlyMap<string, number>;
  /** True when `<0x0A>` is the byte 10. */
  readonly byteFallback: boolean;
  /** @throws E_VOCABULARY_INCOMPLETE */
  tokenise(word: PlacedText): Tokenised;
}

export interface Tokenised {
  readonly tokens: readonly PlacedToken[];
  /** False when the tokens do not spell the word, so that places are only approximate. */
  readonly exact: boolean;
}

/** `<0xE4>` for each byte of the text's UTF-8. */
export function byteTokens(text: string): string[] {
  return Array.from(new TextEncoder().encode(text), (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
}
