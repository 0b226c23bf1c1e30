import type { Tokenizer } from '../../model/model.ts';
import type { Token } from '../../shared/tokens.ts';

/**
 * Tokens and text of bare ids. Where the vocabulary cuts the text into just these ids again, offsets are exact even inside
 * characters of several tokens; else every token stands for its own piece of text.
 */
export async function tokensOfIds(
  tokenizer: Tokenizer,
  ids: readonly number[],
): Promise<{ readonly text: string; readonly tokens: readonly Token[] }> {
  const decoded = await tokenizer.decode(ids);
  const encoded = await tokenizer.encode(decoded, { parseSpecial: true, addSpecial: false });
  if (encoded.tokens.length === ids.length && encoded.tokens.every((token, index) => token.id === ids[index])) {
    return { text: decoded, tokens: encoded.tokens };
  }
  const pieces = await tokenizer.pieces(ids);
  const control = await controlTokens(tokenizer, ids, pieces);
  let start = 0;
  const tokens = ids.map((id, index): Token => {
    const text = pieces[index] ?? '';
    const token = { id, text, start, end: start + text.length, special: control.has(id) };
    start = token.end;
    return token;
  });
  return { text: pieces.join(''), tokens };
}

/** Ids whose own spelling the tokenizer reads back as a control token. */
async function controlTokens(tokenizer: Tokenizer, ids: readonly number[], pieces: readonly string[]): Promise<Set<number>> {
  const control = new Set<number>();
  const spelling = new Map(ids.map((id, index) => [id, pieces[index] ?? '']));
  for (const [id, piece] of spelling) {
    if (!/^[<[].*[>\]]$/su.test(piece)) continue;
    const { tokens } = await tokenizer.encode(piece, { parseSpecial: true, addSpecial: false });
    if (tokens.length === 1 && tokens[0]?.id === id && tokens[0].special) control.add(id);
  }
  return control;
}
