import type { Warning } from '../shared/explanation.ts';
import type { Section, SourceSegment, TextRange } from '../shared/tokens.ts';

/** The model's chat template, with the header of the answer appended. @throws E_TEMPLATE_MISSING and what the template throws */
export type RenderChat = (messages: readonly { role: string; content: string }[]) => Promise<string>;

/** What the model reads, and where every part of it comes from. */
export interface RenderedPrompt {
  readonly mode: 'raw' | 'chat';
  readonly text: string;
  readonly uri?: string;
  /** Offsets into `text`; nested, outermost first. */
  readonly sections: readonly Section[];
  /** Runs that stand verbatim in the document; ascending and disjoint in `text`. */
  readonly sourceMap: readonly SourceSegment[];
  /** Text that the chat template added; ascending and disjoint. */
  readonly templateRanges: readonly TextRange[];
  readonly warnings: readonly Warning[];
}
