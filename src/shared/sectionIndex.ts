/** Which section of a prompt an offset lies in. Sections nest; ones that only overlap are taken as nested by their start. */
import { lastBorder } from './unitBorders.ts';
import type { Section } from './tokens.ts';

/** The prompt cut at every beginning and end of a section. */
export interface SectionIndex {
  /** Ascending offsets; piece `i` reaches from `borders[i]` to `borders[i + 1]`. */
  readonly borders: readonly number[];
  /** Sections that hold piece `i`, outermost first. */
  readonly holders: readonly (readonly Section[])[];
}

export function indexSections(sections: readonly Section[]): SectionIndex {
  const outerFirst = [...sections].sort((a, b) => a.start - b.start || b.end - a.end);
  const borders = [...new Set([0, ...sections.flatMap((section) => [section.start, section.end])])].sort((a, b) => a - b);
  const holders: Section[][] = [];
  const open: Section[] = [];
  let next = 0;
  for (const border of borders) {
    for (let depth = open.length - 1; depth >= 0; depth--) {
      if ((open[depth] as Section).end <= border) open.splice(depth, 1);
    }
    for (; next < outerFirst.length && (outerFirst[next] as Section).start <= border; next++) {
      const section = outerFirst[next] as Section;
      if (section.end > border) open.push(section);
    }
    holders.push([...open]);
  }
  return { borders, holders };
}

/** Sections that hold the character at `offset`, outermost first. */
export function sectionsAt(index: SectionIndex, offset: number): readonly Section[] {
  return index.holders[lastBorder(index.borders, offset)] ?? [];
}

/** Offsets at which the innermost section changes, and 0. */
export function sectionBorders(sections: readonly Section[]): number[] {
  const { borders, holders } = indexSections(sections);
  return borders.filter((border, i) => i === 0 || border === 0 || holders[i]?.at(-1) !== holders[i - 1]?.at(-1));
}
