import { whitespace, wordCharacter } from './characters.ts';
import { rangeOf, slicePlaced } from './placedText.ts';
import type { PlacedText } from './placedText.ts';
import type { PlacedToken } from './model/vocabularyModel.ts';
import type { AddedToken } from './tokenizerFile.ts';

/** A stretch of text that is still to be cut, or an added token that was written in it. */
export type Fragment = { readonly placed: PlacedText } | { readonly token: PlacedToken };

/** Finds some of the added tokens in a text. `parseSpecial`: the special ones among them, too. */
type Finder = (placed: PlacedText, parseSpecial: boolean) => Fragment[];

/**
 * The tokens that are cut out of a text before the vocabulary sees it: some where they stand in the prompt, some
 * (`normalized`) where they stand in what the normaliser makes of it.
 */
export interface AddedTokens {
  readonly find: Finder;
  readonly findNormalised: Finder;
}

export function createAddedTokens(tokens: readonly AddedToken[], normalise: (text: string) => string): AddedTokens {
  const isNormalised = (token: AddedToken) => token.normalized ?? !token.special;
  const plain = tokens.filter((token) => !isNormalised(token)).map((token) => [token.content, token] as const);
  const normalised = tokens.filter(isNormalised).map((token) => [normalise(token.content), token] as const);
  return { find: createFinder(plain), findNormalised: createFinder(normalised) };
}

function createFinder(entries: readonly (readonly [string, AddedToken])[]): Finder {
  const spelled = new Map(entries.filter(([spelling]) => spelling !== ''));
  if (spelled.size === 0) return (placed) => [{ placed }];
  // The leftmost match counts, and the longest of those that begin there.
  const alternatives = [...spelled.keys()].sort((a, b) => b.length - a.length).map(escapePattern);
  const pattern = new RegExp(alternatives.join('|'), 'gu');
  return (placed, parseSpecial) => {
    const fragments: Fragment[] = [];
    const { text } = placed;
    let position = 0;
    for (const { 0: spelling, index } of text.matchAll(pattern)) {
      const token = spelled.get(spelling);
      const end = index + spelling.length;
      if (token === undefined || (token.special && !parseSpecial)) continue;
      if (token.single_word && (endsWithWord(text, index) || startsWithWord(text, end))) continue;
      const from = token.lstrip ? Math.max(position, spaceBefore(text, index)) : index;
      if (from > position) fragments.push({ placed: slicePlaced(placed, position, from) });
      fragments.push({ token: { id: token.id, ...rangeOf(placed, index, end) } });
      position = token.rstrip ? spaceAfter(text, end) : end;
    }
    if (position < text.length) fragments.push({ placed: slicePlaced(placed, position, text.length) });
    return fragments;
  };
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function endsWithWord(text: string, end: number): boolean {
  const last = [...text.slice(Math.max(0, end - 2), end)].at(-1);
  return last !== undefined && wordCharacter.test(last);
}

function startsWithWord(text: string, start: number): boolean {
  const code = text.codePointAt(start);
  return code !== undefined && wordCharacter.test(String.fromCodePoint(code));
}

function spaceBefore(text: string, end: number): number {
  let start = end;
  while (start > 0 && whitespace.test(text[start - 1] ?? '')) start--;
  return start;
}

function spaceAfter(text: string, start: number): number {
  let end = start;
  while (end < text.length && whitespace.test(text[end] ?? '')) end++;
  return end;
}

/** The text of a fragment run through `step`; tokens pass. */
export function mapFragments(fragments: readonly Fragment[], step: (placed: PlacedText) => readonly Fragment[]): Fragment[] {
  return fragments.flatMap((fragment) => ('token' in fragment ? [fragment] : step(fragment.placed)));
}
