/** The prompt as a tree: sections hold sections, paragraphs, sentences, words and at last units. */
import { indexSections, sectionsAt } from '../shared/sectionIndex.ts';
import { lastBorder, paragraphBorders, sentenceBorders, wordBorders } from '../shared/unitBorders.ts';
import type { AttributionInput } from './method.ts';

export interface UnitTree {
  /** Places in the list the tree was made of, ascending. */
  readonly members: readonly number[];
  /** Empty for a single member. */
  readonly children: readonly UnitTree[];
}

/**
 * Groups `units`, which are in the order of the prompt, by where they begin. A group with one child only is left away, so every
 * node that is not a leaf has at least two children.
 * @param units indices of units, at least one; the members of the tree are places in this list
 */
export function unitTree(
  { promptText, sections, units }: Pick<AttributionInput, 'promptText' | 'sections' | 'units'>,
  list: readonly number[],
): UnitTree {
  const index = indexSections(sections);
  const borders = [paragraphBorders, sentenceBorders, wordBorders].map((bordersOf) => bordersOf(promptText));
  const paths = list.map((unit) => {
    const start = units[unit]?.start ?? 0;
    return [...sectionsAt(index, start), ...borders.map((level) => lastBorder(level, start))];
  });
  return grouped([...list.keys()], paths, 0);
}

/** @param paths by member: the groups it belongs to, outermost first */
function grouped(members: readonly number[], paths: readonly (readonly unknown[])[], depth: number): UnitTree {
  if (members.length === 1) return { members, children: [] };
  if (members.every((member) => depth >= (paths[member]?.length ?? 0))) {
    return { members, children: members.map((member) => ({ members: [member], children: [] })) };
  }
  const runs: number[][] = [];
  members.forEach((member, place) => {
    const before = members[place - 1];
    if (before !== undefined && paths[before]?.[depth] === paths[member]?.[depth]) runs.at(-1)?.push(member);
    else runs.push([member]);
  });
  if (runs.length === 1) return grouped(members, paths, depth + 1);
  return { members, children: runs.map((run) => grouped(run, paths, depth + 1)) };
}
