import * as v from 'valibot';
import { tokenizerUnsupported } from '../../shared/modelFolderErrors.ts';
import { toLoupeError, LoupeError } from '../../shared/errors.ts';
import { createAddedTokens, mapFragments } from './addedTokens.ts';
import { readAffixes } from './affixes.ts';
import type { Affixes } from './affixes.ts';
import { overTime, withTimeLimit } from '../../model/runtime/timeLimit.ts';
import { createBytePairModel } from './model/bytePairModel.ts';
import { createUnigramModel } from './model/unigramModel.ts';
import type { PlacedToken, VocabularyModel } from './model/vocabularyModel.ts';
import { createWordPieceModel } from './model/wordPieceModel.ts';
import { createNormaliser } from './normalise/createNormaliser.ts';
import { placeText } from './placedText.ts';
import type { PlacedText } from './placedText.ts';
import { createPreTokeniser } from './split/createPreTokeniser.ts';
import { createTokenSpelling } from './tokenSpelling.ts';
import type { TokenSpelling } from './tokenSpelling.ts';
import { tokenizerFile } from './tokenizerFile.ts';
import type { ModelConfiguration } from './tokenizerFile.ts';

/** What a tokenizer.json does: text to tokens with their places, and ids back to text. */
export interface TextTokeniser {
  /** `text` without lone surrogates. Tokens in the order of the text; nothing is added, and nothing is cut to a length. @throws E_TOKENIZER_UNSUPPORTED when it takes too long */
  tokenise(text: string, parseSpecial: boolean): { readonly tokens: readonly PlacedToken[]; readonly exact: boolean };
  readonly affixes: Affixes;
  readonly spelling: TokenSpelling;
  idOf(token: string): number | undefined;
  isSpecial(id: number): boolean;
}

/** Its patterns are hostile input. A long prompt takes a few milliseconds; the slowest machine is given a thousand times that. */
const limit = { seconds: 3, charactersPerSecond: 20_000 };

/** `json`: a parsed tokenizer.json. @throws E_TOKENIZER_UNSUPPORTED */
export function createTextTokeniser(json: unknown): TextTokeniser {
  const parsed = v.safeParse(tokenizerFile, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw tokenizerUnsupported(`${v.getDotPath(issue) ?? 'the file'}: ${issue.message.slice(0, 200)}`);
  }
  const file = parsed.output;
  const normalise = createNormaliser(file.normalizer);
  const split = createPreTokeniser(file.pre_tokenizer);
  const model = createModel(file.model);
  const added = createAddedTokens(file.added_tokens, (text) => normalise(placeText(text)).text);
  const special = new Set(file.added_tokens.filter((token) => token.special).map(({ id }) => id));
  const addedIds = new Map(file.added_tokens.map(({ id, content }) => [content, id]));

  const tokenise = (text: string, parseSpecial: boolean) => {
    let exact = true;
    const tokenisePart = (placed: PlacedText) => {
      // Nothing may be left once it is normalised; then nothing is put before it either.
      const words = placed.text === '' ? [] : split(placed);
      return words.flatMap((word) => {
        const found = model.tokenise(word);
        exact &&= found.exact && word.exact;
        return found.tokens;
      });
    };
    const fragments = mapFragments(added.find(placeText(text), parseSpecial), (placed) =>
      added.findNormalised(normalise(placed), parseSpecial),
    );
    const tokens = fragments.flatMap((fragment) => ('token' in fragment ? [fragment.token] : tokenisePart(fragment.placed)));
    return { tokens, exact };
  };
  const tokeniseInTime = (text: string, parseSpecial: boolean) => {
    const seconds = limit.seconds + text.length / limit.charactersPerSecond;
    try {
      return withTimeLimit(() => tokenise(text, parseSpecial), Math.ceil(seconds * 1000));
    } catch (error) {
      if (overTime(error)) throw tokenizerUnsupported(`it did not finish a text of ${text.length} characters in time`);
      throw error;
    }
  };
  return {
    tokenise: tokeniseInTime,
    affixes: readAffixes(file.post_processor),
    spelling: createTokenSpelling(file, model),
    idOf: (token) => addedIds.get(token) ?? model.ids.get(token),
    isSpecial: (id) => special.has(id),
  };
}

/** The library throws whatever it likes at a file it does not understand. */
function createModel(configuration: ModelConfiguration): VocabularyModel {
  try {
    if (configuration.type === 'BPE') return createBytePairModel(configuration);
    return configuration.type === 'WordPiece' ? createWordPieceModel(configuration) : createUnigramModel(configuration);
  } catch (error) {
    throw error instanceof LoupeError
      ? error
      : tokenizerUnsupported(`its model cannot be built (${toLoupeError(error).parts.why})`);
  }
}
