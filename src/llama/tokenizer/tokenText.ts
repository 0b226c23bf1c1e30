import type { GenerationVocabulary } from '../../model/runtime/generate.ts';
import { tokenAttribute } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

export function generationVocabulary(vocabulary: Vocabulary): GenerationVocabulary {
  return {
    isEndOfGeneration: (id) => vocabulary.isEndOfGeneration(id),
    piece: (id) => vocabulary.piece(id),
    label: (id) => tokenText(vocabulary, id),
  };
}

/**
 * One token as a reader knows it: ` the`, `<|im_end|>`, `##ing` (WordPiece). Part of a character shows as U+FFFD.
 */
export function tokenText(vocabulary: Vocabulary, id: number): string {
  if (vocabulary.kind !== 'wordpiece') return decodeTokens(vocabulary, [id]);
  const text = vocabulary.text(id);
  // The file marks first pieces with ▁ where BERT's own vocabulary marks the others with ##.
  if (text.startsWith('▁')) return text.slice(1);
  const marked = vocabulary.is(id, tokenAttribute.control | tokenAttribute.unknown | tokenAttribute.userDefined);
  return marked || text === '' ? text : `##${text}`;
}

/** The bytes of the tokens, joined, as text; what is not UTF-8 shows as U+FFFD. Control tokens appear as they are written. */
export function decodeTokens(vocabulary: Vocabulary, ids: ArrayLike<number>): string {
  const pieces = Array.from(ids, (id) => vocabulary.piece(id));
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  // The decoder would swallow a byte-order mark that is part of the text.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
