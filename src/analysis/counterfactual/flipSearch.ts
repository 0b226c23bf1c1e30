/**
 * The smallest set of word edits that flips an answer: all sets of one edit, then of two, …; where there are more than the budget
 * allows, a beam. Knows nothing of a model: what a set does, and how fluent it leaves the text, is asked for.
 */
import type { WordEdit } from './wordEdits.ts';

export interface Trial {
  /** In the order of the words. */
  readonly edits: readonly WordEdit[];
  /** Logits; below 0 the answer has flipped. */
  readonly margin: number;
  /** The token that is answered. */
  readonly answer: number;
}

export interface FluentTrial extends Trial {
  /** How much harder the text is to predict than before, nats per token. */
  readonly strain: number;
}

export interface Flip extends FluentTrial {
  /** Whether no part of the edits flips the answer: measured, all parts. */
  readonly isMinimal: boolean;
}

interface SearchLevel {
  readonly size: number;
  readonly tried: number;
  /** Sets of this size that there are. */
  readonly possible: number;
}

export interface FlipSearchProblem {
  readonly edits: readonly WordEdit[];
  readonly maxEdits: number;
  /** Most sets that are tried. */
  readonly budget: number;
  /** Sets that are carried on to the next size where not all can be tried. */
  readonly beam: number;
  /** Largest strain of a flip that counts, nats per token. */
  readonly maxStrain: number;
  /** The margin of the unmodified prompt. */
  readonly margin: number;
  evaluate(sets: readonly (readonly WordEdit[])[]): Promise<readonly Pick<Trial, 'margin' | 'answer'>[]>;
  strains(sets: readonly (readonly WordEdit[])[]): Promise<readonly number[]>;
}

export interface FlipSearchResult {
  /** Flips of the fewest edits that are fluent enough, the most fluent first. */
  readonly flips: readonly Flip[];
  /** Flips that are not fluent enough, the most fluent first. */
  readonly strained: readonly FluentTrial[];
  /** Everything tried, in the order it was. */
  readonly trials: readonly Trial[];
  readonly levels: readonly SearchLevel[];
  /** Whether every smaller set, and every set of the size found, was tried. */
  readonly isExhaustive: boolean;
}

/** How many flips are checked for minimality and shown. */
const shownFlips = 3;

export async function searchFlips(problem: FlipSearchProblem): Promise<FlipSearchResult> {
  const { maxEdits, budget, maxStrain } = problem;
  const known = new Map<string, Trial>();
  const levels: SearchLevel[] = [];
  let strained: FluentTrial[] = [];
  let fluent: FluentTrial[] = [];
  const tryAll = async (sets: readonly (readonly WordEdit[])[]): Promise<Trial[]> => {
    const fresh = sets.filter((set) => !known.has(keyOf(set)));
    (await problem.evaluate(fresh)).forEach((outcome, index) => {
      const edits = fresh[index] as readonly WordEdit[];
      known.set(keyOf(edits), { edits, ...outcome });
    });
    return sets.map((set) => known.get(keyOf(set)) as Trial);
  };
  const withStrain = async (trials: readonly Trial[]): Promise<FluentTrial[]> => {
    const strains = await problem.strains(trials.map(({ edits }) => edits));
    return trials.map((trial, index) => ({ ...trial, strain: strains[index] ?? Number.NaN })).sort(byStrain);
  };
  let parents: readonly Trial[] = [{ edits: [], margin: problem.margin, answer: -1 }];
  for (let size = 1; size <= maxEdits && fluent.length === 0; size++) {
    const left = budget - known.size;
    const possible = countSets(problem.edits, size);
    if (left <= 0 || possible === 0) break;
    const sets =
      possible <= left
        ? allSets(problem.edits, size)
        : grownSets(problem, parents, known).slice(0, Math.ceil(left / (maxEdits - size + 1)));
    const trials = await tryAll(sets);
    levels.push({ size, tried: sets.length, possible });
    const flipped = await withStrain(trials.filter(({ margin }) => margin < 0));
    fluent = flipped.filter(({ strain }) => strain <= maxStrain);
    strained = [...strained, ...flipped.filter(({ strain }) => !(strain <= maxStrain))];
    if (fluent.length > 0 || size === maxEdits) break;
    const nearest = trials.filter(({ margin }) => margin >= 0).sort(byMargin);
    const readable = (await withStrain(nearest.slice(0, 2 * problem.beam))).filter(({ strain }) => strain <= maxStrain);
    parents = readable.sort(byMargin).slice(0, problem.beam);
  }
  const flips = await checkedFlips(fluent.slice(0, shownFlips), tryAll, withStrain, maxStrain);
  return {
    flips,
    strained: strained.sort(byStrain),
    trials: [...known.values()],
    levels,
    isExhaustive: levels.every(({ tried, possible }) => tried === possible) && (flips.length > 0 || levels.length === maxEdits),
  };
}

/** Each flip with the verdict on its parts; a part that flips and is fluent takes the place of the whole. */
async function checkedFlips(
  fluent: readonly FluentTrial[],
  tryAll: (sets: readonly (readonly WordEdit[])[]) => Promise<Trial[]>,
  withStrain: (trials: readonly Trial[]) => Promise<FluentTrial[]>,
  maxStrain: number,
): Promise<Flip[]> {
  const flips = new Map<string, Flip>();
  const add = (trial: FluentTrial, isMinimal: boolean) => flips.set(keyOf(trial.edits), { ...trial, isMinimal });
  for (const trial of fluent) {
    const parts = (await tryAll(properParts(trial.edits))).filter(({ margin }) => margin < 0);
    const readable = (await withStrain(parts)).filter(({ strain }) => strain <= maxStrain);
    const smallest = readable.sort((a, b) => a.edits.length - b.edits.length || byStrain(a, b))[0];
    if (smallest === undefined) add(trial, parts.length === 0);
    else add(smallest, !parts.some(({ edits }) => isProperPart(edits, smallest.edits)));
  }
  return [...flips.values()].sort((a, b) => a.edits.length - b.edits.length || byStrain(a, b));
}

const byMargin = (a: Trial, b: Trial) => a.margin - b.margin;
const byStrain = (a: FluentTrial, b: FluentTrial) => a.strain - b.strain;

function keyOf(edits: readonly WordEdit[]): string {
  return edits.map(({ word, text }) => `${word}=${text}`).join('\n');
}

/** Sets one edit larger than the parents, most promising first. The effects of single edits that were measured are trusted before guesses. */
function grownSets(
  { edits, margin }: FlipSearchProblem,
  parents: readonly Trial[],
  known: ReadonlyMap<string, Trial>,
): WordEdit[][] {
  const gains = new Map(edits.map((edit) => [edit, margin - (known.get(keyOf([edit]))?.margin ?? margin - edit.predicted)]));
  const grown = new Map<string, { readonly set: WordEdit[]; readonly expected: number }>();
  for (const parent of parents) {
    for (const edit of edits) {
      if (parent.edits.some(({ word }) => word === edit.word)) continue;
      const set = [...parent.edits, edit].sort((a, b) => a.word - b.word);
      const expected = parent.margin - (gains.get(edit) ?? 0);
      const key = keyOf(set);
      if (expected < (grown.get(key)?.expected ?? Infinity)) grown.set(key, { set, expected });
    }
  }
  return [...grown.values()].sort((a, b) => a.expected - b.expected).map(({ set }) => set);
}

/** Number of sets of `size` edits of different words: the elementary symmetric polynomial of the numbers of edits per word. */
export function countSets(edits: readonly WordEdit[], size: number): number {
  const perWord = new Map<number, number>();
  for (const { word } of edits) perWord.set(word, (perWord.get(word) ?? 0) + 1);
  const counts = [1, ...new Array<number>(size).fill(0)];
  for (const choices of perWord.values()) {
    for (let taken = size; taken > 0; taken--) counts[taken] = (counts[taken] ?? 0) + (counts[taken - 1] ?? 0) * choices;
  }
  return counts[size] ?? 0;
}

/** All sets of `size` edits of different words. */
function allSets(edits: readonly WordEdit[], size: number): WordEdit[][] {
  const ordered = [...edits].sort((a, b) => a.word - b.word);
  const grow = (from: number, taken: readonly WordEdit[]): WordEdit[][] => {
    if (taken.length === size) return [[...taken]];
    return ordered
      .slice(from)
      .flatMap((edit, step) => (taken.at(-1)?.word === edit.word ? [] : grow(from + step + 1, [...taken, edit])));
  };
  return grow(0, []);
}

/** All parts of a set but the empty one and itself. */
function properParts(edits: readonly WordEdit[]): WordEdit[][] {
  const count = 2 ** edits.length;
  return Array.from({ length: Math.max(0, count - 2) }, (_, bits) => edits.filter((_edit, index) => ((bits + 1) >> index) & 1));
}

function isProperPart(part: readonly WordEdit[], whole: readonly WordEdit[]): boolean {
  return part.length < whole.length && part.every((edit) => whole.includes(edit));
}
