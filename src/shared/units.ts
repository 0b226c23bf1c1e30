/**
 * Units: what one score belongs to. Built from a prompt's tokens, never from its text alone, because only whole tokens can be
 * left out or read. Pure; the engine, the extension and the webviews share it. See docs/prompts.md.
 */
import { indexSections, sectionBorders, sectionsAt } from './sectionIndex.ts';
import type { Granularity, Role, Section, TextRange, Token, Unit, UnitKind } from './tokens.ts';
import { lastBorder, lineBorders, paragraphBorders, sentenceBorders, wordBorders } from './unitBorders.ts';

export interface UnitContext {
  readonly sections: readonly Section[];
  /** Text the chat template added; ascending and disjoint. */
  readonly templateRanges: readonly TextRange[];
}

/** What the rules need to know of one token: who wrote it, and which of its characters decides where it belongs. */
interface PlacedToken {
  readonly kind: 'text' | 'special' | 'template';
  /** Offset of the last character that is not white space, or of the last one. */
  readonly anchor: number;
  readonly blank: boolean;
}

/**
 * Groups tokens into units; every token is in exactly one unit, and the tokens of a unit are consecutive.
 * - A special token is a unit of its own. Text of the chat template and text of the author never share a unit.
 * - A token belongs where its last character that is not white space stands. A token of white space goes to the next unit,
 *   or to the one before when nothing of the same author follows.
 * - A unit's range is its visible text: no white space around it (unless it holds nothing else). Ranges ascend and are disjoint,
 *   except that at token granularity the tokens of one character share its range.
 */
export function buildUnits(
  promptText: string,
  tokens: readonly Token[],
  granularity: Granularity,
  { sections, templateRanges }: UnitContext,
): Unit[] {
  const isTemplate = coverage(templateRanges);
  const placed = tokens.map((token) => placeToken(promptText, token, isTemplate));
  const borders = bordersOf(promptText, granularity, sections);
  const units: Unit[] = [];
  let members: number[] = [];
  let group: number | null = null;
  const close = (): void => {
    if (members.length > 0) units.push(makeUnit(promptText, tokens, placed, members, granularity, units.at(-1)?.end ?? 0));
    members = [];
    group = null;
  };
  placed.forEach((token, index) => {
    const first = members[0];
    const sameAuthor = first !== undefined && token.kind !== 'special' && placed[first]?.kind === token.kind;
    const own = granularity === 'token' ? index : lastBorder(borders, token.anchor);
    if (!sameAuthor || granularity === 'token' || (!token.blank && group !== null && own !== group)) {
      // White space at the end of the group that closes belongs to the one that opens.
      const carried = sameAuthor && granularity !== 'token' ? takeTrailingBlanks(members, placed) : [];
      close();
      members = carried;
    }
    members.push(index);
    if (!token.blank) group = own;
  });
  close();
  return units;
}

function takeTrailingBlanks(members: number[], placed: readonly PlacedToken[]): number[] {
  let keep = members.length;
  while (keep > 0 && placed[members[keep - 1] as number]?.blank === true) keep--;
  return members.splice(keep);
}

function placeToken(promptText: string, token: Token, isTemplate: (start: number, end: number) => boolean): PlacedToken {
  const text = promptText.slice(token.start, token.end);
  const visible = text.trimEnd();
  const blank = visible.length === 0;
  const anchor = Math.max(token.start, token.start + (blank ? text.length : visible.length) - 1);
  if (token.special) return { kind: 'special', anchor, blank: false };
  const start = blank ? token.start : token.end - text.trimStart().length;
  return { kind: isTemplate(start, anchor + 1) ? 'template' : 'text', anchor, blank };
}

/** Tells whether every character of [start, end) lies in one of the ranges; an empty range does when its place does. */
function coverage(ranges: readonly TextRange[]): (start: number, end: number) => boolean {
  const starts = ranges.map((range) => range.start);
  return (start, end) => {
    let reached = start;
    for (let at = lastBorder(starts, start); at < ranges.length && reached < end; at++) {
      const range = ranges[at] as TextRange;
      if (range.start > reached || range.end <= reached) return false;
      reached = range.end;
    }
    return reached >= end && ranges.length > 0;
  };
}

function bordersOf(promptText: string, granularity: Granularity, sections: readonly Section[]): number[] {
  switch (granularity) {
    case 'token':
      return [0];
    case 'word':
      return wordBorders(promptText);
    case 'sentence':
      return sentenceBorders(promptText);
    case 'line':
      return lineBorders(promptText);
    case 'paragraph':
      return paragraphBorders(promptText);
    case 'section':
      return sectionBorders(sections);
  }
}

function makeUnit(
  promptText: string,
  tokens: readonly Token[],
  placed: readonly PlacedToken[],
  members: readonly number[],
  granularity: Granularity,
  floor: number,
): Unit {
  const ranges = members.map((index) => tokens[index] as Token);
  let start = ranges[0]?.start ?? floor;
  let end = ranges.reduce((furthest, token) => Math.max(furthest, token.end), start);
  if (granularity !== 'token') start = Math.min(Math.max(start, floor), end);
  const text = promptText.slice(start, end);
  if (text.trim().length > 0) {
    start += text.length - text.trimStart().length;
    end -= text.length - text.trimEnd().length;
  }
  const kind: UnitKind = placed[members[0] as number]?.kind ?? 'text';
  const label = start < end ? promptText.slice(start, end) : ranges.map((token) => token.text).join('');
  return { start, end, label, kind, tokens: members };
}

/** The role and the innermost section's label of every token, for `Explanation.tokens`. */
export function sectionsOf(
  promptText: string,
  tokens: readonly Token[],
  sections: readonly Section[],
): { readonly role?: Role; readonly section?: string }[] {
  const index = indexSections(sections);
  return tokens.map((token) => {
    const holders = sectionsAt(index, placeToken(promptText, token, () => false).anchor);
    const role = holders.findLast((section) => section.role !== undefined)?.role;
    const section = holders.at(-1)?.label;
    return { ...(role === undefined ? {} : { role }), ...(section === undefined ? {} : { section }) };
  });
}

/**
 * Scores of `from` carried over to `to`, both over the same tokens, without a new run: every unit's score is shared equally by its
 * tokens, and a unit's new score is the sum over its tokens. So a coarser unit gets exactly the sum of the units it holds, and a
 * finer one its share. Occlusion effects are not additive, so this is a summary: leaving the coarser unit out may give another number.
 */
export function regroup(from: readonly Unit[], scores: ArrayLike<number>, to: readonly Unit[]): Float32Array {
  const share = new Map<number, { readonly unit: number; readonly tokens: number }>();
  from.forEach((unit, index) => {
    for (const token of unit.tokens) share.set(token, { unit: index, tokens: unit.tokens.length });
  });
  return Float32Array.from(to, (unit) => {
    const counts = new Map<number, number>();
    for (const token of unit.tokens) {
      const owner = share.get(token);
      if (owner !== undefined) counts.set(owner.unit, (counts.get(owner.unit) ?? 0) + 1);
    }
    let sum = 0;
    for (const [index, count] of counts) sum += (scores[index] ?? 0) * (count / (from[index]?.tokens.length ?? 1));
    return sum;
  });
}

export interface SinkEvidence {
  /** The caller says that the first token of the prompt is a sink (no BOS stands before it). */
  readonly firstToken?: boolean;
  /** Attention mass each token receives from later ones, as a share, one per token. */
  readonly received?: ArrayLike<number>;
  /** Share from which a token counts as a sink. Default 0.3: far above any content word, below every sink seen. */
  readonly threshold?: number;
}

/**
 * Marks sinks: a unit becomes `sink` when every token of it that is not blank is one. A sentence that merely begins with a
 * sink token stays what it is, so a coarse overlay never loses the author's text.
 */
export function markSinks(units: readonly Unit[], promptText: string, tokens: readonly Token[], evidence: SinkEvidence): Unit[] {
  const threshold = evidence.threshold ?? 0.3;
  const isSink = (index: number): boolean =>
    (evidence.firstToken === true && index === 0) || (evidence.received?.[index] ?? 0) >= threshold;
  const isBlank = (index: number): boolean => {
    const token = tokens[index];
    return token !== undefined && token.start < token.end && promptText.slice(token.start, token.end).trim() === '';
  };
  return units.map((unit) => {
    const sinks = unit.tokens.some(isSink) && unit.tokens.every((index) => isSink(index) || isBlank(index));
    return sinks ? { ...unit, kind: 'sink' } : unit;
  });
}
