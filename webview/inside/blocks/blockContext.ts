/** What every block is drawn with. */
import type { Token } from '../../../src/shared/tokens.ts';
import type { InsideStrings } from '../insideStrings.ts';

export interface BlockContext {
  /** Place of the block in the result. */
  readonly index: number;
  readonly tokens: readonly Token[];
  readonly promptText: string;
  /** The token under the editor's cursor. */
  readonly highlighted: number | null;
  /** Whether this block's scores are drawn in the editor. */
  readonly isDrawn: boolean;
  readonly text: InsideStrings;
  /** Marks these tokens in the editor while something is pointed at; none: nothing is. */
  readonly onMark: (tokens: readonly number[]) => void;
  /** Brings these tokens into view in the editor. */
  readonly onReveal: (tokens: readonly number[]) => void;
  readonly onApply: () => void;
  readonly onDraw: (draw: boolean) => void;
}

/** `logit` → `logits`; a unit the panel has no word for is written as the tool gives it. */
export function unitText(unit: string, text: InsideStrings): string {
  return Object.hasOwn(text.unit, unit) ? (text.unit[unit] ?? unit) : unit;
}
