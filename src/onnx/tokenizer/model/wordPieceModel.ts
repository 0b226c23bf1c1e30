import { WordPiece } from '@huggingface/tokenizers';
import { tokenizerUnsupported } from '../../../shared/modelFolderErrors.ts';
import { rangeOf } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';
import type { ModelConfiguration } from '../tokenizerFile.ts';
import type { PlacedToken, Tokenised, VocabularyModel } from './vocabularyModel.ts';

type Configuration = Extract<ModelConfiguration, { readonly type: 'WordPiece' }>;

/** WordPiece (Schuster and Nakajima 2012): the longest token first; a word that cannot be spelled is one unknown token. */
export function createWordPieceModel(configuration: Configuration): VocabularyModel {
  const library = new WordPiece({ ...configuration, vocab: Object.fromEntries(configuration.vocab) });
  const { unk_token: unknownToken, continuing_subword_prefix: prefix, max_input_chars_per_word: limit } = configuration;
  const ids = library.tokens_to_ids;
  const unknown = ids.get(unknownToken);
  if (unknown === undefined) throw tokenizerUnsupported('its vocabulary lacks the unknown token it names');

  const tokenise = (word: PlacedText): Tokenised => {
    const whole = rangeOf(word, 0, word.text.length);
    const isUnknown = { tokens: [{ id: unknown, ...whole }], exact: true };
    // Counted here as well: the library would first copy a word of any length.
    if (word.text.length > 2 * limit) return isUnknown;
    const spellings = library.encode([word.text]);
    if (spellings.length === 1 && spellings[0] === unknownToken) return isUnknown;
    const tokens: PlacedToken[] = [];
    let position = 0;
    for (const token of spellings) {
      const spelled = position === 0 ? token : token.slice(prefix.length);
      tokens.push({ id: ids.get(token) ?? unknown, ...rangeOf(word, position, position + spelled.length) });
      position += spelled.length;
    }
    return { tokens, exact: true };
  };
  return { kind: 'wordpiece', ids, byteFallback: false, tokenise };
}
