import { expect, test } from 'vitest';
import { type UnitTree, unitTree } from '../../src/attribution/unitTree.ts';
import { buildUnits } from '../../src/shared/units.ts';
import type { Granularity, Section, Token } from '../../src/shared/tokens.ts';

const text = 'Be brief. Be kind.\n\nA cat sat. It slept.\n\nWho slept?';
const paragraph = (start: number, end: number): Section => ({ kind: 'paragraph', label: '', start, end });
const sections = [paragraph(0, 18), { ...paragraph(20, 40), kind: 'passage' as const }, paragraph(42, 52)];
const tokens: Token[] = [...text.matchAll(/\s*\S+?(?=[.?\s]|$)|[.?]/gu)].map((match, id) => ({
  id,
  text: match[0],
  start: match.index,
  end: match.index + match[0].length,
  special: false,
}));

/** `(Be brief.)` for a group, its words beside each other for leaves. */
function spelled(granularity: Granularity, placed: readonly Section[], from = 0): string {
  const units = buildUnits(text, tokens, granularity, { sections: placed, templateRanges: [] });
  const list = [...units.keys()].slice(from);
  const spell = ({ members, children }: UnitTree): string =>
    children.length === 0 ? (units[list[members[0] ?? 0] ?? 0]?.label ?? '') : `(${children.map(spell).join(' ')})`;
  return spell(unitTree({ promptText: text, sections: placed, units }, list));
}

test('words in sentences in sections', () => {
  expect(spelled('word', sections)).toBe('(((Be brief.) (Be kind.)) ((A cat sat.) (It slept.)) (Who slept?))');
});

test('without sections paragraphs take their place; nested sections nest', () => {
  expect(spelled('word', [])).toBe('(((Be brief.) (Be kind.)) ((A cat sat.) (It slept.)) (Who slept?))');
  expect(spelled('sentence', [paragraph(0, 40), ...sections])).toBe('(((Be brief. Be kind.) (A cat sat. It slept.)) Who slept?)');
});

test('coarse units are leaves, tokens lie in their words, a part of the units is a tree too', () => {
  expect(spelled('section', sections)).toBe('(Be brief. Be kind. A cat sat. It slept. Who slept?)');
  expect(spelled('token', sections)).toContain('((Be (brief .)) (Be (kind .)))');
  expect(spelled('word', sections, 6)).toBe('((sat. (It slept.)) (Who slept?))');
});

test('one unit, and units nothing tells apart', () => {
  const unit = { start: 0, end: 0, label: '', kind: 'text' as const, tokens: [0] };
  expect(unitTree({ promptText: '', sections: [], units: [unit] }, [0])).toEqual({ members: [0], children: [] });
  const flat = unitTree({ promptText: '', sections: [], units: [unit, unit, unit] }, [0, 1, 2]);
  expect(flat.children.map((child) => child.members)).toEqual([[0], [1], [2]]);
});
