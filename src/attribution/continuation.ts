import type { Tokenizer } from '../model/model.ts';

/**
 * Token ids of a text that stands right after a prompt: no beginning-of-sequence token, control tokens read as plain text,
 * and exactly the leading spaces the text has. SentencePiece vocabularies put a space before the first word of whatever they
 * are given; that space is taken back here, because a continuation is no beginning.
 */
export async function encodeContinuation(tokenizer: Tokenizer, text: string): Promise<number[]> {
  if (text === '') return [];
  const direct = await encodePlain(tokenizer, text);
  const surplus = leadingSpaces(direct.text) - leadingSpaces(text);
  if (surplus <= 0) return direct.ids;
  if (leadingSpaces(text) >= surplus) {
    const shorter = await encodePlain(tokenizer, text.slice(surplus));
    if (leadingSpaces(shorter.text) === leadingSpaces(text)) return shorter.ids;
  }
  // The text begins with a letter: let a line break stand before it and take the break's own tokens off again.
  const anchor = await encodePlain(tokenizer, '\n');
  const anchored = await encodePlain(tokenizer, `\n${text}`);
  const unmerged = anchor.ids.every((id, index) => anchored.ids[index] === id);
  return unmerged ? anchored.ids.slice(anchor.ids.length) : direct.ids;
}

async function encodePlain(tokenizer: Tokenizer, text: string): Promise<{ readonly ids: number[]; readonly text: string }> {
  const { tokens } = await tokenizer.encode(text, { parseSpecial: false, addSpecial: false });
  return { ids: tokens.map((token) => token.id), text: tokens.map((token) => token.text).join('') };
}

function leadingSpaces(text: string): number {
  return text.length - text.replace(/^ +/, '').length;
}
