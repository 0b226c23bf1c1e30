import type { Tokenizer } from '../../model/model.ts';
import { LoupeError } from '../../shared/errors.ts';
import { neutralTokenUnknown } from '../../shared/modelFolderErrors.ts';
import { encodeContinuation } from '../continuation.ts';
import { emptyPromptToken } from './emptyPrompt.ts';

/** Texts that say as little as a text can, best first. */
const neutralTexts: readonly string[] = [' ', '\n', '.', '_'];

/**
 * One token to stand where another was, so that positions stay: a space, or what comes nearest to it in this vocabulary.
 * @throws E_NEUTRAL_TOKEN for a model without a vocabulary
 */
export async function neutralToken(tokenizer: Tokenizer): Promise<number> {
  for (const text of neutralTexts) {
    const ids = await encodeContinuation(tokenizer, text).catch(aboutNeutral);
    if (ids.length === 1 && ids[0] !== undefined) return ids[0];
  }
  return await emptyPromptToken(tokenizer);
}

/** Whoever asked for a neutral token gave no text that could not be read. */
function aboutNeutral(error: unknown): never {
  throw error instanceof LoupeError && error.code === 'E_TOKENIZER_MISSING' ? neutralTokenUnknown() : error;
}
