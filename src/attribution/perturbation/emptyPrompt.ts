import type { Tokenizer } from '../../model/model.ts';

/** How vocabularies spell the token that stands between two documents; nothing has been said after it. */
const documentSeparators: readonly string[] = ['<|endoftext|>', '<|end_of_text|>', '</s>', '<eos>'];

/**
 * The token that stands for a prompt of which nothing is left, because a model reads at least one. A document separator if the
 * vocabulary has one among its end tokens (id 0 for SmolLM2), else the beginning-of-sequence token, else the end token.
 */
export async function emptyPromptToken(tokenizer: Tokenizer): Promise<number> {
  const { bos, eos, endOfGeneration } = await tokenizer.special();
  const pieces = await tokenizer.pieces(endOfGeneration);
  const separator = documentSeparators.map((text) => pieces.indexOf(text)).find((index) => index >= 0);
  const found = separator === undefined ? undefined : endOfGeneration[separator];
  return found ?? bos ?? eos ?? 0;
}
