import { isMark, whitespace } from '../characters.ts';
import { compilePattern, stretches } from '../pattern.ts';
import { PlacedTextBuilder, mapCharacters, prependText, rangeOf, slicePlaced } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';
import { byteCharacters } from '../../../model/runtime/byteCharacters.ts';
import type { NormaliserConfiguration, PatternConfiguration } from '../tokenizerFile.ts';
import { bertNormalise, lowercase } from './bertNormaliser.ts';
import { createPrecompiledNormaliser } from './precompiledCharsmap.ts';
import { normaliseForm } from './unicodeForms.ts';

export type Normaliser = (placed: PlacedText) => PlacedText;

/** The `normalizer` of tokenizer.json as the native package runs it, with places. @throws E_TOKENIZER_UNSUPPORTED */
export function createNormaliser(configuration: NormaliserConfiguration | null): Normaliser {
  if (configuration === null) return (placed) => placed;
  switch (configuration.type) {
    case 'Sequence': {
      const steps = configuration.normalizers.map(createNormaliser);
      return (placed) => steps.reduce((text, step) => step(text), placed);
    }
    case 'BertNormalizer':
      return (placed) => bertNormalise(placed, configuration);
    case 'Lowercase':
      return lowercase;
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = configuration.type;
      return (placed) => normaliseForm(placed, form);
    }
    case 'StripAccents':
      return (placed) => mapCharacters(placed, (character) => (isMark(character) ? '' : character));
    case 'Strip':
      return (placed) => strip(placed, configuration.strip_left, configuration.strip_right);
    case 'Prepend':
      return (placed) => (placed.text === '' ? placed : prependText(placed, configuration.prepend));
    case 'Replace':
      return replacer(configuration.pattern, configuration.content);
    case 'Precompiled': {
      const table = configuration.precompiled_charsmap ?? '';
      return table === '' ? (placed) => placed : createPrecompiledNormaliser(table);
    }
    case 'Nmt':
      return (placed) => mapCharacters(placed, nmtCharacter);
    case 'ByteLevel':
      return (placed) => mapCharacters(placed, byteCharacters);
  }
}

/** Every match becomes `content`, which stands for all that was matched. */
function replacer(configuration: PatternConfiguration, content: string): Normaliser {
  const pattern = compilePattern(configuration);
  return (placed) => {
    const builder = new PlacedTextBuilder(placed);
    for (const { from, to, matched } of stretches(placed.text, pattern)) {
      if (matched) builder.push(content, rangeOf(placed, from, to));
      else builder.copy(placed, from, to);
    }
    return builder.build();
  };
}

function strip(placed: PlacedText, left: boolean, right: boolean): PlacedText {
  let from = 0;
  let to = placed.text.length;
  while (left && from < to && whitespace.test(placed.text[from] ?? '')) from++;
  while (right && to > from && whitespace.test(placed.text[to - 1] ?? '')) to--;
  return from === 0 && to === placed.text.length ? placed : { ...slicePlaced(placed, from, to), origin: placed.origin };
}

function nmtCharacter(character: string): string {
  if (/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/.test(character)) return '';
  return /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/.test(character) ? ' ' : character;
}
