import { fillUnmatched } from '../../model/runtime/alignment.ts';
import type { Alignment } from '../../model/runtime/alignment.ts';
import type { TextRange } from '../../shared/tokens.ts';
import { tokenAttribute } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

/** One character of a word: what the tokeniser may have made of it, and where it stands. */
interface WordCharacter extends TextRange {
  /** Lower case without its accent, as llama.cpp normalises; then weaker readings for when our Unicode tables differ. */
  readonly spellings: readonly string[];
}

/**
 * Ranges for WordPiece (BERT): llama.cpp splits the text at spaces and punctuation, drops control characters, lower-cases,
 * strips accents, and marks the first piece of each word with ▁ in the vocabulary.
 */
export function alignWordPiece(text: string, ids: Int32Array, vocabulary: Vocabulary, parseSpecial: boolean): Alignment {
  const whole = parseSpecial ? unknownSpelling(ids, vocabulary) : null;
  const ranges: (TextRange | null)[] = [];
  let index = 0;
  for (const part of splitAtSpecials(text, ids, vocabulary)) {
    if (part.special) {
      ranges.push({ start: part.start, end: part.end });
      index++;
      continue;
    }
    for (const word of words(text, part.start, part.end, whole)) {
      if (index >= part.tokenEnd) break;
      const taken = alignWord(word, ids, index, part.tokenEnd, vocabulary);
      ranges.push(...taken);
      index += taken.length;
    }
    for (; index < part.tokenEnd; index++) ranges.push(null);
  }
  return fillUnmatched(ranges, text.length);
}

/** The unknown token is recognised where it is written; elsewhere it stands for a word that the vocabulary cannot spell. */
function unknownSpelling(ids: Int32Array, vocabulary: Vocabulary): string | null {
  const id = ids.find((each) => vocabulary.is(each, tokenAttribute.unknown));
  return id === undefined ? null : vocabulary.text(id);
}

interface Part extends TextRange {
  readonly special: boolean;
  readonly tokenEnd: number;
}

/** Text between the special tokens that were written in it, and those tokens themselves. */
function splitAtSpecials(text: string, ids: Int32Array, vocabulary: Vocabulary): Part[] {
  const parts: Part[] = [];
  let position = 0;
  for (const [index, id] of ids.entries()) {
    if (!vocabulary.is(id, tokenAttribute.control | tokenAttribute.userDefined)) continue;
    const start = text.indexOf(vocabulary.text(id), position);
    if (start < 0) continue;
    parts.push({ special: false, start: position, end: start, tokenEnd: index });
    position = start + vocabulary.text(id).length;
    parts.push({ special: true, start, end: position, tokenEnd: index + 1 });
  }
  parts.push({ special: false, start: position, end: text.length, tokenEnd: ids.length });
  return parts;
}

/** The tokens of one word, beginning at token `from`: exact ranges, or nulls up to the next word when they do not spell it. */
function alignWord(
  word: readonly WordCharacter[],
  ids: Int32Array,
  from: number,
  to: number,
  vocabulary: Vocabulary,
): (TextRange | null)[] {
  const start = word[0]?.start ?? 0;
  const end = word.at(-1)?.end ?? start;
  const first = ids[from] ?? -1;
  if (vocabulary.is(first, tokenAttribute.unknown)) return [{ start, end }];
  const ranges: (TextRange | null)[] = [];
  let character = 0;
  for (let index = from; index < to && character < word.length; index++) {
    const spelling = vocabulary.text(ids[index] ?? -1);
    const rest = index === from && spelling.startsWith('▁') ? spelling.slice(1) : spelling;
    const next = matchCharacters(word, character, rest);
    if (next === null) return nullsToNextWord(ids, from, to, vocabulary);
    ranges.push({ start: word[character]?.start ?? start, end: next === character ? start : (word[next - 1]?.end ?? end) });
    character = next;
  }
  return ranges;
}

/** The character after those that `spelling` spells, or null. */
function matchCharacters(word: readonly WordCharacter[], from: number, spelling: string): number | null {
  let character = from;
  let position = 0;
  while (position < spelling.length) {
    const matched = word[character]?.spellings.find((candidate) => spelling.startsWith(candidate, position));
    if (matched === undefined) return null;
    position += matched.length;
    character++;
  }
  return character;
}

function nullsToNextWord(ids: Int32Array, from: number, to: number, vocabulary: Vocabulary): null[] {
  let next = from + 1;
  while (
    next < to &&
    !vocabulary.text(ids[next] ?? -1).startsWith('▁') &&
    !vocabulary.is(ids[next] ?? -1, tokenAttribute.unknown)
  ) {
    next++;
  }
  return new Array<null>(next - from).fill(null);
}

// What llama.cpp's tables say, found by trying every character; its Chinese ranges leave out U+2B820–2B91F.
const whitespace = /^[\s\u0085]$/u;
const dropped = /^[\p{Cc}\p{Cf}\p{Co}\uFEFF\uFFFD]$/u;
const mark = /^\p{M}$/u;
const separateWord =
  /^[\p{P}$+<=>^`|~\u{3400}-\u{4DBF}\u{4E00}-\u{9FFF}\u{F900}-\u{FAFF}\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]$/u;

/**
 * Words of `text[from…to)`: runs between spaces; each punctuation mark and each Chinese character is its own. `whole`: a
 * spelling that is never cut (the unknown token, where it is written out), or null.
 */
function* words(text: string, from: number, to: number, whole: string | null): Generator<readonly WordCharacter[]> {
  let word: WordCharacter[] = [];
  for (let position = from; position < to; ) {
    const written = whole !== null && text.startsWith(whole, position) ? whole : null;
    const character = written ?? String.fromCodePoint(text.codePointAt(position) ?? 0);
    const entry = {
      start: position,
      end: position + character.length,
      spellings: written === null ? spellings(character) : [written],
    };
    position = entry.end;
    const last = word.at(-1);
    if (mark.test(character)) {
      // A combining mark is dropped, and belongs to the character it stands on.
      if (last !== undefined) word[word.length - 1] = { ...last, end: entry.end };
      continue;
    }
    // Tabs and line ends are control characters, and spaces first; JavaScript also counts the byte-order mark as a space.
    if (dropped.test(character) && (character === '\uFEFF' || !whitespace.test(character))) continue;
    const alone = written !== null || separateWord.test(entry.spellings[0] ?? '');
    if (alone || whitespace.test(character)) {
      if (word.length > 0) yield word;
      word = [];
      if (alone) yield [entry];
    } else {
      word.push(entry);
    }
  }
  if (word.length > 0) yield word;
}

function spellings(character: string): readonly string[] {
  if (character < '\u0080') return [character.toLowerCase()];
  const base = String.fromCodePoint(character.normalize('NFD').codePointAt(0) ?? 0);
  return [base.toLowerCase(), character.toLowerCase(), base, character];
}
