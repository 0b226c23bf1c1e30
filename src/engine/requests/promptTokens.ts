import type { Model, Tokenizer } from '../../model/model.ts';
import { type RenderedPrompt, readPrompt } from '../../prompt/readPrompt.ts';
import { contextOverflow, promptEmpty, tokenRange } from '../../shared/errorCatalog.ts';
import type { Warning } from '../../shared/explanation.ts';
import type { PromptSource } from '../../shared/protocol/engine.ts';
import type { TextRange, Token } from '../../shared/tokens.ts';
import { tokensOfIds } from './tokensOfIds.ts';

/** A prompt as the model reads it. */
export interface TokenizedPrompt extends RenderedPrompt {
  readonly tokens: readonly Token[];
  readonly ids: Int32Array;
}

/**
 * From a document, or from bare token ids, to tokens. What every request begins with.
 * @throws as `readPrompt`; E_CONTEXT_OVERFLOW when the tokens do not fit; E_TOKEN_RANGE for an id the vocabulary does not have
 */
export async function tokenizePrompt(model: Model, source: PromptSource): Promise<TokenizedPrompt> {
  const prompt =
    source.ids === undefined ? await tokenizeDocument(model, source) : await tokenizeIds(model, source.ids, source.uri);
  if (prompt.tokens.length === 0) throw promptEmpty();
  checkContext(model, prompt.tokens.length);
  return prompt;
}

/** @throws E_CONTEXT_OVERFLOW when prompt and response together have more tokens than the context holds */
export function checkContext({ info }: Model, promptTokens: number, responseTokens = 0): void {
  const tokens = promptTokens + responseTokens;
  if (tokens > info.contextLength) throw contextOverflow(tokens, info.contextLength);
}

async function tokenizeDocument(model: Model, source: PromptSource): Promise<TokenizedPrompt> {
  const { tokenizer, info } = model;
  const rendered = await readPrompt(
    source,
    info.can.chat ? (messages) => tokenizer.renderChat(messages, { addGenerationPrompt: true }) : null,
  );
  // Some templates write the beginning-of-sequence token themselves; a second one would change the answer.
  const addSpecial = rendered.mode === 'raw' || !(await beginsWithBos(tokenizer, rendered.text));
  const { tokens, approximateOffsets } = await tokenizer.encode(rendered.text, { parseSpecial: true, addSpecial });
  const warnings: Warning[] = [...rendered.warnings];
  if (approximateOffsets) warnings.push(approximateOffsetsWarning);
  if (rendered.mode === 'chat') warnings.push(...typedControlTokens(tokens, rendered.templateRanges));
  return { ...rendered, tokens, ids: Int32Array.from(tokens, (token) => token.id), warnings };
}

async function tokenizeIds(model: Model, ids: readonly number[], uri: string | undefined): Promise<TokenizedPrompt> {
  const { vocabulary } = model.info;
  const stranger = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (stranger !== undefined) {
    throw tokenRange(`there is no token ${stranger}`, `this model's vocabulary has ${vocabulary} tokens, counted from 0`);
  }
  checkContext(model, ids.length);
  const { text, tokens } = await tokensOfIds(model.tokenizer, ids);
  return {
    mode: 'raw',
    text,
    ...(uri === undefined ? {} : { uri }),
    sections: [],
    sourceMap: [],
    templateRanges: [],
    warnings: [],
    tokens,
    ids: Int32Array.from(ids),
  };
}

async function beginsWithBos(tokenizer: Tokenizer, text: string): Promise<boolean> {
  const { bos } = await tokenizer.special();
  if (bos === null) return false;
  const [piece = ''] = await tokenizer.pieces([bos]);
  return piece !== '' && text.startsWith(piece);
}

const approximateOffsetsWarning: Warning = {
  code: 'W_APPROXIMATE_OFFSETS',
  message: 'This tokenizer changes the text before it cuts it, so some tokens are marked only approximately.',
};

/** Control tokens that stand in a message and not in the template: the model takes them as structure. */
function typedControlTokens(tokens: readonly Token[], templateRanges: readonly TextRange[]): Warning[] {
  if (templateRanges.length === 0) return [];
  const typed = tokens.filter(
    (token) =>
      token.special &&
      token.start < token.end &&
      !templateRanges.some((range) => range.start <= token.start && token.end <= range.end),
  );
  if (typed.length === 0) return [];
  const names = [...new Set(typed.map((token) => token.text))].join(', ');
  const message = `A message holds control tokens (${names}). The model reads them as the structure of the conversation, not as text.`;
  return [{ code: 'W_CONTROL_TOKEN_IN_MESSAGE', message }];
}
