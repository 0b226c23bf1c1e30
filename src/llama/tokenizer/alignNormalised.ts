import { fillUnmatched } from '../../model/runtime/alignment.ts';
import type { Alignment } from '../../model/runtime/alignment.ts';
import type { TextRange } from '../../shared/tokens.ts';
import { tokenAttribute } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A character with its combining marks: what a normaliser may have made of it, and where it stands. */
interface Cluster extends TextRange {
  readonly spellings: readonly string[];
  readonly space: boolean;
}

/** Code units looked ahead for the spelling of the next token after one that matched nothing. */
const lookAhead = 256;

/**
 * Ranges for vocabularies whose normaliser rewrites the text: Unigram (T5, XLM-R) applies NFKC, merges spaces and inserts ▁.
 * Follows the tokens' spellings through the text, letting each character stand as itself or as its NFKC form; `space` says
 * which characters may stand for ▁.
 */
export function alignNormalised(text: string, ids: Int32Array, vocabulary: Vocabulary, space: RegExp): Alignment {
  const clusters = clustersOf(text, space);
  const ranges: (TextRange | null)[] = [];
  /** False once text was stepped over to find a token. */
  let followed = true;
  let place: Place = { cluster: 0, pending: '' };
  for (const [index, id] of ids.entries()) {
    if (isUnknown(vocabulary, id)) {
      const first = skipSpaces(clusters, place.cluster);
      const end = unknownEnd(clusters, first, spellingOf(vocabulary, ids[index + 1]));
      ranges.push(end > first ? between(clusters, first, end, text.length) : null);
      place = { cluster: Math.max(first, end), pending: '' };
      continue;
    }
    const spelling = spellingOf(vocabulary, id);
    let match = matchSpelling(clusters, place, spelling);
    if (match === null) {
      match = findSpelling(clusters, place.cluster, spelling);
      followed = false;
    }
    ranges.push(match === null ? null : between(clusters, match.from, match.to, text.length));
    place = match?.next ?? place;
  }
  const { ranges: filled, exact } = fillUnmatched(ranges, text.length);
  return { ranges: filled, exact: exact && followed };
}

/** Where in the text the next token begins. */
interface Place {
  readonly cluster: number;
  /** What the tokens so far left of this cluster's spelling (½ → 1 | ⁄2). */
  readonly pending: string;
}

interface Match {
  /** Clusters [from, to) that the token touches. */
  readonly from: number;
  readonly to: number;
  readonly next: Place;
}

/**
 * Clusters that `spelling` spells at `place`. ▁ stands for a space or (inserted) for nothing; spaces that were dropped are
 * stepped over.
 */
function matchSpelling(clusters: readonly Cluster[], place: Place, spelling: string): Match | null {
  let { cluster, pending } = place;
  let from: number | null = null;
  let rest = spelling;
  while (rest !== '') {
    const current = clusters[cluster];
    if (pending === '' && rest.startsWith('▁') && current?.spellings.includes('▁') !== true) {
      rest = rest.slice(1);
      continue;
    }
    if (current === undefined) return null;
    const readings: readonly string[] = pending === '' ? current.spellings : [pending];
    const whole = readings.find((reading) => rest.startsWith(reading));
    const divided = whole === undefined ? readings.find((reading) => reading.startsWith(rest)) : undefined;
    if (whole !== undefined) {
      from ??= cluster;
      rest = rest.slice(whole.length);
      pending = '';
      cluster++;
    } else if (divided !== undefined) {
      from ??= cluster;
      return { from, to: cluster + 1, next: { cluster, pending: divided.slice(rest.length) } };
    } else if (current.space) {
      cluster++;
    } else {
      return null;
    }
  }
  return { from: from ?? cluster, to: cluster, next: { cluster, pending } };
}

/** The next place within reach where `spelling` stands; a lone ▁ or nothing could stand anywhere. */
function findSpelling(clusters: readonly Cluster[], position: number, spelling: string): Match | null {
  if (spelling.replaceAll('▁', '') === '') return null;
  const limit = (clusters[position]?.start ?? 0) + lookAhead;
  for (let candidate = position + 1; candidate < clusters.length && (clusters[candidate]?.start ?? 0) < limit; candidate++) {
    const match = matchSpelling(clusters, { cluster: candidate, pending: '' }, spelling);
    if (match !== null) return match;
  }
  return null;
}

/** An unknown token takes at least the character at `first` and ends where the next token can begin. */
function unknownEnd(clusters: readonly Cluster[], first: number, next: string): number {
  let end = first + 1;
  while (end < clusters.length) {
    const space = clusters[end]?.space === true;
    if (space && next.startsWith('▁')) break;
    if (!space && next !== '' && matchSpelling(clusters, { cluster: end, pending: '' }, next) !== null) break;
    end++;
  }
  while (end > first + 1 && clusters[end - 1]?.space === true) end--;
  return Math.min(end, clusters.length);
}

function skipSpaces(clusters: readonly Cluster[], position: number): number {
  let first = position;
  while (clusters[first]?.space === true) first++;
  return first;
}

function between(clusters: readonly Cluster[], from: number, to: number, length: number): TextRange {
  const start = clusters[from]?.start ?? length;
  return { start, end: to > from ? (clusters[to - 1]?.end ?? length) : start };
}

function isUnknown(vocabulary: Vocabulary, id: number): boolean {
  return vocabulary.is(id, tokenAttribute.unknown);
}

function spellingOf(vocabulary: Vocabulary, id: number | undefined): string {
  return id === undefined || isUnknown(vocabulary, id) ? '' : vocabulary.text(id).replaceAll(' ', '▁');
}

const clusterPattern = /\P{M}\p{M}*|\p{M}+/gsu;

function clustersOf(text: string, spacePattern: RegExp): Cluster[] {
  return Array.from(text.matchAll(clusterPattern), ({ 0: value, index }) => {
    const space = spacePattern.test(value);
    const composed = value.normalize('NFKC');
    const readings = space ? ['▁', value] : composed === value ? [value] : [composed, value];
    return { start: index, end: index + value.length, spellings: readings, space };
  });
}
