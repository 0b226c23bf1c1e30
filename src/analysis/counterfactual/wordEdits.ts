import type { Token, Unit } from '../../shared/tokens.ts';
import { deletedRange, type TextEdit } from '../words/textEdits.ts';

/** One edit of one word. */
export interface WordEdit extends TextEdit {
  /** Index among the author's words. */
  readonly word: number;
  /** By how much it should lower the margin, to first order; 0 where nothing is known. Logits. */
  readonly predicted: number;
}

/** Where a word can be replaced by another one: its letters or digits, without punctuation around them. */
export interface WordCore {
  readonly word: number;
  readonly start: number;
  readonly end: number;
  /** Prompt tokens that spell it. */
  readonly tokens: readonly number[];
  /** Whether its first token begins with a space, as the substitute's must. */
  readonly hasSpace: boolean;
}

/** One deletion for each word. */
export function deletions(text: string, words: readonly Unit[]): Omit<WordEdit, 'predicted'>[] {
  return words.map((unit, word) => ({ word, ...deletedRange(text, unit), text: '' }));
}

/** The words that whole tokens spell, so that a substitute can take the place of these tokens. */
export function wordCores(text: string, tokens: readonly Token[], words: readonly Unit[]): WordCore[] {
  return words.flatMap((unit, word): WordCore[] => {
    const label = text.slice(unit.start, unit.end);
    const match = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’-]*/u.exec(label);
    if (match === null) return [];
    const start = unit.start + match.index;
    const end = start + match[0].length;
    const inside = unit.tokens.filter((index) => {
      const token = tokens[index];
      return token !== undefined && token.end > start && token.start < end;
    });
    const [first] = inside;
    if (first === undefined) return [];
    const token = tokens[first] as Token;
    const lead = text.slice(token.start, start);
    if (!/^[^\S\r\n]?$/u.test(lead)) return [];
    return [{ word, start, end, tokens: inside, hasSpace: lead !== '' }];
  });
}

/** Whether a token of the vocabulary can stand for a word: letters (or digits for digits), a space before it where the word has one. */
export function isSubstitute(piece: string, original: string, hasSpace: boolean): boolean {
  const shape = /^\p{N}/u.test(original) ? /^ ?\p{N}+$/u : /^ ?[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*$/u;
  const written = piece.trimStart();
  return shape.test(piece) && piece.startsWith(' ') === hasSpace && written.toLowerCase() !== original.toLowerCase();
}
