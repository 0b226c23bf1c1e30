/** Breaks styled text into lines of a given width, at spaces where possible, inside a long word where not. */
import { displayWidth, graphemes } from './displayWidth.ts';

export interface Span {
  /** Already made visible (visibleText.ts); may hold line feeds. */
  readonly text: string;
  readonly paint: (text: string) => string;
}

interface Atom extends Span {
  readonly width: number;
}

/** @param columns width of a line, at least 1 */
export function wrapSpans(spans: readonly Span[], columns: number): string[] {
  const lines: string[] = [];
  let line: Atom[] = [];
  let lineWidth = 0;
  // Kept back until a word follows on the same line: the space a line is broken at is not printed.
  let space: Atom[] = [];
  const close = () => {
    lines.push(paintLine(line));
    line = [];
    space = [];
    lineWidth = 0;
  };
  for (const { kind, atoms } of words(spans, columns)) {
    if (kind === 'break') {
      close();
      continue;
    }
    if (kind === 'space') {
      space.push(...atoms);
      continue;
    }
    const width = widthOf(atoms);
    const spaceWidth = widthOf(space);
    if (lineWidth > 0 && lineWidth + spaceWidth + width > columns) close();
    // An indent wider than the line would push every word out of it.
    if (lineWidth === 0 && spaceWidth + width > columns) space = [];
    line.push(...space, ...atoms);
    lineWidth += widthOf(space) + width;
    space = [];
  }
  close();
  return lines;
}

function widthOf(atoms: readonly Atom[]): number {
  return atoms.reduce((sum, atom) => sum + atom.width, 0);
}

interface Word {
  readonly kind: 'word' | 'space' | 'break';
  readonly atoms: Atom[];
}

/** Words may run over several spans (`un` + `believ` + `able`): they stay together. */
function* words(spans: readonly Span[], columns: number): Generator<Word> {
  let open: Atom[] = [];
  let openWidth = 0;
  const word = (): Word => {
    const atoms = open;
    open = [];
    openWidth = 0;
    return { kind: 'word', atoms };
  };
  for (const { text, paint } of spans) {
    for (const part of text.match(/\n| +|[^\n ]+/g) ?? []) {
      if (part === '\n' || part.startsWith(' ')) {
        if (open.length > 0) yield word();
        yield part === '\n'
          ? { kind: 'break', atoms: [] }
          : { kind: 'space', atoms: [{ text: part, paint, width: part.length }] };
        continue;
      }
      for (const piece of fitting(part, columns)) {
        const width = displayWidth(piece);
        if (openWidth > 0 && openWidth + width > columns) yield word();
        open.push({ text: piece, paint, width });
        openWidth += width;
      }
    }
  }
  if (open.length > 0) yield word();
}

/** A word wider than the line is broken between graphemes; scripts without spaces break anywhere. */
function fitting(part: string, columns: number): string[] {
  return displayWidth(part) <= columns ? [part] : graphemes(part);
}

/** Neighbours of one style are painted together, so that output stays small. */
function paintLine(atoms: readonly Atom[]): string {
  let painted = '';
  for (let index = 0; index < atoms.length; ) {
    const paint = atoms[index]?.paint;
    let text = '';
    while (index < atoms.length && atoms[index]?.paint === paint) text += atoms[index++]?.text ?? '';
    painted += paint?.(text) ?? text;
  }
  return painted;
}
