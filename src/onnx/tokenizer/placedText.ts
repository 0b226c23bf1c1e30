import type { TextRange } from '../../shared/tokens.ts';

/**
 * Text on its way through a tokeniser: whatever normalisers and pre-tokenisers make of a prompt, each code unit still knows
 * which characters of the prompt it stands for. Text that was inserted stands for none and has an empty range.
 */
export interface PlacedText {
  readonly text: string;
  /** [code units of text]: start in the prompt. */
  readonly starts: Int32Array;
  /** [code units of text]: end in the prompt. */
  readonly ends: Int32Array;
  /** Where in the prompt this piece begins. */
  readonly origin: number;
  /** False when some places are only approximate. */
  readonly exact: boolean;
}

/** A prompt as it stands: each character has its own range, both halves of a surrogate pair share one. No lone surrogates. */
export function placeText(text: string): PlacedText {
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let unit = 0; unit < text.length; unit++) {
    const low = (text.charCodeAt(unit) & 0xfc00) === 0xdc00;
    const high = (text.charCodeAt(unit) & 0xfc00) === 0xd800;
    starts[unit] = low ? unit - 1 : unit;
    ends[unit] = high ? unit + 2 : unit + 1;
  }
  return { text, starts, ends, origin: 0, exact: true };
}

export function slicePlaced(placed: PlacedText, from: number, to: number): PlacedText {
  return {
    text: placed.text.slice(from, to),
    starts: placed.starts.subarray(from, to),
    ends: placed.ends.subarray(from, to),
    origin: from === 0 ? placed.origin : (placed.starts[from] ?? placed.ends.at(-1) ?? placed.origin),
    exact: placed.exact,
  };
}

/** What code units `[from, to)` stand for in the prompt; empty when all of them were inserted. */
export function rangeOf(placed: PlacedText, from: number, to: number): TextRange {
  let start = -1;
  let end = -1;
  for (let unit = from; unit < to; unit++) {
    const unitStart = placed.starts[unit] ?? 0;
    const unitEnd = placed.ends[unit] ?? 0;
    if (unitEnd === unitStart) continue;
    if (start === -1 || unitStart < start) start = unitStart;
    if (unitEnd > end) end = unitEnd;
  }
  if (start >= 0) return { start, end };
  const place = placed.starts[from] ?? placed.ends.at(-1) ?? placed.origin;
  return { start: place, end: place };
}

/** Collects placed text piece by piece. */
export class PlacedTextBuilder {
  readonly #parts: string[] = [];
  #starts: Int32Array;
  #ends: Int32Array;
  #length = 0;
  readonly #origin: number;
  #exact: boolean;

  constructor(source: PlacedText) {
    this.#starts = new Int32Array(source.text.length + 16);
    this.#ends = new Int32Array(source.text.length + 16);
    this.#origin = source.origin;
    this.#exact = source.exact;
  }

  /** All of `text` stands for the same characters of the prompt. */
  push(text: string, { start, end }: TextRange): void {
    this.#reserve(text.length);
    this.#starts.fill(start, this.#length, this.#length + text.length);
    this.#ends.fill(end, this.#length, this.#length + text.length);
    this.#length += text.length;
    this.#parts.push(text);
  }

  /** Code units `[from, to)` of `source`, unchanged. */
  copy(source: PlacedText, from: number, to: number): void {
    this.#reserve(to - from);
    this.#starts.set(source.starts.subarray(from, to), this.#length);
    this.#ends.set(source.ends.subarray(from, to), this.#length);
    this.#length += to - from;
    this.#parts.push(source.text.slice(from, to));
  }

  markApproximate(): void {
    this.#exact = false;
  }

  build(): PlacedText {
    return {
      text: this.#parts.join(''),
      starts: this.#starts.subarray(0, this.#length),
      ends: this.#ends.subarray(0, this.#length),
      origin: this.#origin,
      exact: this.#exact,
    };
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#starts.length) return;
    const grown = (old: Int32Array) => {
      const larger = new Int32Array(Math.max(needed, old.length * 2));
      larger.set(old);
      return larger;
    };
    this.#starts = grown(this.#starts);
    this.#ends = grown(this.#ends);
  }
}

/** Each character replaced by what `map` makes of it (nothing: dropped), which stands where the character stood. */
export function mapCharacters(placed: PlacedText, map: (character: string) => string): PlacedText {
  const builder = new PlacedTextBuilder(placed);
  let from = 0;
  for (const character of placed.text) {
    const to = from + character.length;
    const made = map(character);
    if (made === character) builder.copy(placed, from, to);
    else builder.push(made, rangeOf(placed, from, to));
    from = to;
  }
  return builder.build();
}

/** `prefix` put before the text; it stands for nothing. */
export function prependText(placed: PlacedText, prefix: string): PlacedText {
  const builder = new PlacedTextBuilder(placed);
  const place = placed.starts[0] ?? placed.origin;
  builder.push(prefix, { start: place, end: place });
  builder.copy(placed, 0, placed.text.length);
  return builder.build();
}
