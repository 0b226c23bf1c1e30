/** A tokeniser that refuses to read the vocabulary of a model that was freed. */
import type { ChatMessage, EncodeOptions, Tokenizer } from '../model.ts';

/** @param check throws when the model is gone */
export function guardTokenizer(tokenizer: Tokenizer, check: () => void): Tokenizer {
  const guarded =
    <Arguments extends unknown[], Result>(method: (...values: Arguments) => Promise<Result>) =>
    async (...values: Arguments): Promise<Result> => {
      check();
      return await method(...values);
    };
  return {
    encode: guarded((text: string, options?: EncodeOptions) => tokenizer.encode(text, options)),
    decode: guarded((ids: readonly number[]) => tokenizer.decode(ids)),
    pieces: guarded((ids: readonly number[]) => tokenizer.pieces(ids)),
    renderChat: guarded((messages: readonly ChatMessage[], options?: { readonly addGenerationPrompt?: boolean }) =>
      tokenizer.renderChat(messages, options),
    ),
    special: guarded(() => tokenizer.special()),
  };
}
