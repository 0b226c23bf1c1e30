import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { tokenizerUnsupported } from '../../shared/modelFolderErrors.ts';
import type { PatternConfiguration } from './tokenizerFile.ts';

/** A stretch of text, and whether the pattern matched it. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly matched: boolean;
}

/**
 * A pattern of tokenizer.json as a global regular expression; Oniguruma's syntax is rewritten by the library.
 * Null for an empty string, which matches nothing.
 * @throws E_TOKENIZER_UNSUPPORTED
 */
export function compilePattern(pattern: PatternConfiguration): RegExp | null {
  if ('String' in pattern && pattern.String === '') return null;
  try {
    return new SplitPreTokenizer({ type: 'Split', pattern: withFolding(pattern), behavior: 'Isolated', invert: false }).pattern;
  } catch (error) {
    throw tokenizerUnsupported(`a pattern it splits text with cannot be read (${error instanceof Error ? error.message : ''})`);
  }
}

/** In `(?i:'s|…)` Oniguruma lets s be ſ and k be the Kelvin sign, too; the library folds ASCII only. */
function withFolding(pattern: PatternConfiguration): PatternConfiguration {
  if (!('Regex' in pattern)) return pattern;
  const fold = (group: string) => group.replace(/[sS]/g, '[sS\u017f]').replace(/[kK]/g, '[kK\u212a]');
  return { Regex: pattern.Regex.replace(/(?<=\(\?i:)[^()[\]\\]*(?=\))/g, fold) };
}

/** The text cut into what `pattern` matches and what lies between. */
export function stretches(text: string, pattern: RegExp | null): Stretch[] {
  if (pattern === null) return [{ from: 0, to: text.length, matched: false }];
  const found: Stretch[] = [];
  let position = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > position) found.push({ from: position, to: match.index, matched: false });
    position = match.index + match[0].length;
    found.push({ from: match.index, to: position, matched: true });
  }
  if (position < text.length) found.push({ from: position, to: text.length, matched: false });
  return found;
}
