/** Tokens and ranges. All offsets are UTF-16 code units, half-open `[start, end)`, as VS Code counts. */

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * One token of a prompt. Tokens that hold parts of one character share that character's whole range.
 * A token the runtime added (a beginning-of-sequence marker) has an empty range.
 */
export interface Token extends TextRange {
  readonly id: number;
  /** The token's own text as the vocabulary spells it; a byte fragment shows as U+FFFD. */
  readonly text: string;
  /** A control token of the vocabulary (`<|im_start|>`, BOS, …), not text. */
  readonly special: boolean;
}

/** What one score belongs to. */
export type Granularity = 'token' | 'word' | 'sentence' | 'line' | 'paragraph' | 'section';

export const granularities: readonly Granularity[] = ['token', 'word', 'sentence', 'line', 'paragraph', 'section'];

/** `text`: the author's words; `special`: control tokens; `template`: text the chat template added; `sink`: a token that takes attention without carrying meaning. */
export type UnitKind = 'text' | 'special' | 'template' | 'sink';

export interface Unit extends TextRange {
  readonly label: string;
  readonly kind: UnitKind;
  /** Indices into the prompt's tokens, ascending. */
  readonly tokens: readonly number[];
}

export type Role = 'system' | 'user' | 'assistant' | 'tool' | 'developer';

/** A part of a prompt the author thinks in. Sections may nest; the innermost one containing a token names it. */
export interface Section extends TextRange {
  readonly kind:
    | 'message'
    | 'heading'
    | 'paragraph'
    | 'list-item'
    | 'code'
    | 'quote'
    | 'table'
    | 'variable'
    | 'passage'
    | 'example'
    | 'document';
  readonly label: string;
  readonly role?: Role;
}

/** A run of prompt text that stands verbatim in the document: `prompt[start…end) === document[documentStart…documentStart+end-start)`. */
export interface SourceSegment extends TextRange {
  readonly documentStart: number;
}
