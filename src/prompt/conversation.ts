import type { Warning } from '../shared/explanation.ts';
import type { Section, TextRange } from '../shared/tokens.ts';
import type { MappedText } from './mappedText.ts';

export interface ConversationMessage {
  readonly role: string;
  readonly content: MappedText;
  /** Filled-in variables, offsets into the content. */
  readonly variables: readonly Section[];
  /** Where the whole message stands in the document, for selections. */
  readonly extent: TextRange;
}

/** A document of messages, read but not yet rendered. */
export interface Conversation {
  readonly messages: readonly ConversationMessage[];
  readonly warnings: readonly Warning[];
}
