import type { Tokenizer } from '../../model/model.ts';
import { encodeContinuation } from '../continuation.ts';
import { emptyPromptToken } from './emptyPrompt.ts';

/** Texts that say as little as a text can, best first. */
const neutralTexts: readonly string[] = [' ', '\n', '.', '_'];

/** One token to stand where another was, so that positions stay: a space, or what comes nearest to it in this vocabulary. */
export async function neutralToken(tokenizer: Tokenizer): Promise<number> {
  for (const text of neutralTexts) {
    const ids = await encodeContinuation(tokenizer, text);
    if (ids.length === 1 && ids[0] !== undefined) return ids[0];
  }
  return await emptyPromptToken(tokenizer);
}
