import { byteCharacters } from '../../../model/runtime/byteCharacters.ts';
import { isPunctuation, numeric, whitespace, wordCharacter } from '../characters.ts';
import { compilePattern, stretches } from '../pattern.ts';
import { mapCharacters, prependText } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';
import type { PreTokeniserConfiguration } from '../tokenizerFile.ts';
import { splitText, stretchesOf } from './splitText.ts';

/** Cuts a piece of text into the words that a vocabulary then cuts into tokens. */
export type PreTokeniser = (placed: PlacedText) => PlacedText[];

/** GPT-2's words (Radford et al. 2019). */
const wordPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const isSpace = (character: string) => whitespace.test(character);
const isWord = (character: string) => wordCharacter.test(character);

/** The `pre_tokenizer` of tokenizer.json as the native package runs it, with places. @throws E_TOKENIZER_UNSUPPORTED */
export function createPreTokeniser(configuration: PreTokeniserConfiguration | null): PreTokeniser {
  if (configuration === null) return (placed) => [placed];
  switch (configuration.type) {
    case 'Sequence': {
      const steps = configuration.pretokenizers.map(createPreTokeniser);
      return (placed) => steps.reduce<PlacedText[]>((pieces, step) => pieces.flatMap(step), [placed]);
    }
    case 'ByteLevel':
      return (placed) => byteLevel(placed, configuration);
    case 'Metaspace':
      return (placed) => metaspace(placed, configuration);
    case 'Split': {
      const pattern = compilePattern(configuration.pattern);
      const { behavior, invert } = configuration;
      return (placed) => {
        const found = stretches(placed.text, pattern);
        return splitText(placed, invert ? found.map((each) => ({ ...each, matched: !each.matched })) : found, behavior);
      };
    }
    case 'Punctuation':
      return (placed) => splitText(placed, stretchesOf(placed.text, isPunctuation), configuration.behavior);
    case 'Digits': {
      const behaviour = configuration.individual_digits ? 'Isolated' : 'Contiguous';
      return (placed) =>
        splitText(
          placed,
          stretchesOf(placed.text, (character) => numeric.test(character)),
          behaviour,
        );
    }
    case 'CharDelimiterSplit':
      return (placed) =>
        splitText(
          placed,
          stretchesOf(placed.text, (character) => character === configuration.delimiter),
          'Removed',
        );
    case 'WhitespaceSplit':
      return (placed) => splitText(placed, stretchesOf(placed.text, isSpace), 'Removed');
    case 'BertPreTokenizer':
      return (placed) =>
        splitText(placed, stretchesOf(placed.text, isSpace), 'Removed').flatMap((word) =>
          splitText(word, stretchesOf(word.text, isPunctuation), 'Isolated'),
        );
    case 'Whitespace':
      return (placed) =>
        splitText(placed, stretchesOf(placed.text, isSpace), 'Removed').flatMap((word) =>
          splitText(word, stretchesOf(word.text, isWord), 'Contiguous'),
        );
  }
}

type Options<Type> = Extract<PreTokeniserConfiguration, { readonly type: Type }>;

function byteLevel(placed: PlacedText, options: Options<'ByteLevel'>): PlacedText[] {
  const text = options.add_prefix_space && !placed.text.startsWith(' ') ? prependText(placed, ' ') : placed;
  const words = options.use_regex ? splitText(text, stretches(text.text, wordPattern), 'Isolated') : [text];
  return words.map((word) => mapCharacters(word, byteCharacters));
}

/** `first` puts the marker before the beginning of the prompt only, not after a special token. */
function metaspace(placed: PlacedText, options: Options<'Metaspace'>): PlacedText[] {
  const { replacement, prepend_scheme: scheme } = options;
  const replaced = mapCharacters(placed, (character) => (character === ' ' ? replacement : character));
  const wanted = scheme === 'always' || (scheme === 'first' && placed.origin === 0);
  const text = wanted && !replaced.text.startsWith(replacement) ? prependText(replaced, replacement) : replaced;
  if (options.split === false) return [text];
  const isReplacement = (character: string) => character === replacement;
  return splitText(text, stretchesOf(text.text, isReplacement), 'MergedWithNext');
}
