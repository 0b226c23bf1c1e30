import { slicePlaced } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';
import type { Stretch } from '../pattern.ts';
import type { SplitBehaviour } from '../tokenizerFile.ts';

/** Cuts text at the stretches found in it; what a behaviour does with a match is as the native package names it. */
export function splitText(placed: PlacedText, found: readonly Stretch[], behaviour: SplitBehaviour): PlacedText[] {
  return joined(found, behaviour)
    .filter(({ from, to }) => to > from)
    .map(({ from, to }) => slicePlaced(placed, from, to));
}

type Piece = Pick<Stretch, 'from' | 'to'>;

function joined(found: readonly Stretch[], behaviour: SplitBehaviour): readonly Piece[] {
  switch (behaviour) {
    case 'Isolated':
      return found;
    case 'Removed':
      return found.filter(({ matched }) => !matched);
    case 'Contiguous':
      return runs(found, (previous, next) => previous.matched === next.matched);
    case 'MergedWithPrevious':
      return runs(found, (previous, next) => next.matched && !previous.matched);
    case 'MergedWithNext':
      return runs(found, (previous, next) => previous.matched && !next.matched);
  }
}

/** Neighbours that belong together, made one. */
function runs(found: readonly Stretch[], together: (previous: Stretch, next: Stretch) => boolean): Piece[] {
  const pieces: Piece[] = [];
  for (const [index, next] of found.entries()) {
    const previous = found[index - 1];
    const last = pieces.at(-1);
    if (previous !== undefined && last !== undefined && together(previous, next))
      pieces[pieces.length - 1] = { from: last.from, to: next.to };
    else pieces.push(next);
  }
  return pieces;
}

/** Every character that passes is a match of its own; what lies between is one stretch. */
export function stretchesOf(text: string, matches: (character: string) => boolean): Stretch[] {
  const found: Stretch[] = [];
  let between = 0;
  let from = 0;
  for (const character of text) {
    const to = from + character.length;
    if (matches(character)) {
      if (from > between) found.push({ from: between, to: from, matched: false });
      found.push({ from, to, matched: true });
      between = to;
    }
    from = to;
  }
  if (from > between) found.push({ from: between, to: from, matched: false });
  return found;
}
