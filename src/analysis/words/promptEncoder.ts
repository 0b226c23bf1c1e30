import type { Tokenizer } from '../../model/model.ts';
import { contextOverflow } from '../../shared/errorCatalog.ts';
import type { Token } from '../../shared/tokens.ts';
import type { ToolContext } from '../tools/tool.ts';

export interface EncodedPrompt {
  readonly tokens: readonly Token[];
  readonly ids: Int32Array;
}

/**
 * Reads another text the way the prompt's own text was read after its template was rendered: control tokens recognised, and the tokens
 * that the runtime put around the prompt put around it too. An edit of the prompt's text is therefore measured as it will be read.
 * The encoder throws E_CONTEXT_OVERFLOW for a text that does not fit.
 */
export function promptEncoder({
  model,
  prompt,
}: Pick<ToolContext, 'model' | 'prompt'>): (text: string) => Promise<EncodedPrompt> {
  const isAdded = ({ start, end }: Token) => start === end;
  const firstWritten = prompt.tokens.findIndex((token) => !isAdded(token));
  const lastWritten = prompt.tokens.findLastIndex((token) => !isAdded(token));
  const before = prompt.tokens.slice(0, Math.max(firstWritten, 0));
  const after = prompt.tokens.slice(lastWritten + 1);
  return async (text) => {
    const written = await encodeWritten(model.tokenizer, text);
    const tokens = [...before, ...written, ...after.map((token) => ({ ...token, start: text.length, end: text.length }))];
    const { contextLength } = model.info;
    if (tokens.length > contextLength) throw contextOverflow(tokens.length, contextLength);
    return { tokens, ids: Int32Array.from(tokens, ({ id }) => id) };
  };
}

async function encodeWritten(tokenizer: Tokenizer, text: string): Promise<readonly Token[]> {
  if (text === '') return [];
  return (await tokenizer.encode(text, { parseSpecial: true, addSpecial: false })).tokens;
}
