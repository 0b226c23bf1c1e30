import type { PlacedContent } from './renderMessages.ts';

interface Slot {
  readonly message: number;
  readonly content: string;
}

interface Variant {
  readonly text: string;
  readonly skipped: number;
}

/**
 * Fits `template[0] slot[0] template[1] slot[1] … template[n]` onto `text`, where each slot may have been trimmed at either side.
 * Null when it does not fit, or fits in more than one way.
 */
export function fitContents(text: string, template: readonly string[], slots: readonly Slot[]): PlacedContent[] | null {
  const first = template[0] ?? '';
  if (!text.startsWith(first)) return null;
  // All ways to fit, kept as linked paths; two that reach the same place are ambiguous whatever follows.
  let paths = new Map<number, Path | 'ambiguous'>([[first.length, { placed: null, before: null }]]);
  slots.forEach((slot, index) => {
    const next = template[index + 1] ?? '';
    const reached = new Map<number, Path | 'ambiguous'>();
    for (const [at, path] of paths) {
      for (const { text: variant, skipped } of variantsOf(slot.content)) {
        const end = at + variant.length;
        if (!text.startsWith(variant, at) || !text.startsWith(next, end)) continue;
        const placed = { message: slot.message, start: at, end, skipped };
        const stop = end + next.length;
        reached.set(stop, path === 'ambiguous' || reached.has(stop) ? 'ambiguous' : { placed, before: path });
      }
    }
    paths = reached;
  });
  const whole = paths.get(text.length);
  return whole === undefined || whole === 'ambiguous' ? null : unroll(whole);
}

interface Path {
  readonly placed: PlacedContent | null;
  readonly before: Path | null;
}

function unroll(path: Path): PlacedContent[] {
  const placed: PlacedContent[] = [];
  for (let step: Path | null = path; step !== null; step = step.before) {
    if (step.placed !== null && step.placed.start < step.placed.end) placed.push(step.placed);
  }
  return placed.reverse();
}

/** The content as it is, and trimmed at its end, its beginning, and both, each once. */
function variantsOf(content: string): Variant[] {
  const start = content.trimStart();
  const skipped = content.length - start.length;
  const variants = [
    { text: content, skipped: 0 },
    { text: content.trimEnd(), skipped: 0 },
    { text: start, skipped },
    { text: start.trimEnd(), skipped },
  ];
  return variants.filter((variant, index) => variants.findIndex((other) => other.text === variant.text) === index);
}
