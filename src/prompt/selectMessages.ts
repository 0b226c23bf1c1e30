import type { TextRange } from '../shared/tokens.ts';
import type { Conversation } from './conversation.ts';

/**
 * The messages that a selection touches, whole: half a message of YAML or JSON is not a prompt.
 * A selection that touches none (it lies in the test data, say) is left aside, with a warning.
 */
export function selectMessages(conversation: Conversation, selection: TextRange | undefined): Conversation {
  if (selection === undefined || selection.start === selection.end) return conversation;
  const start = Math.min(selection.start, selection.end);
  const end = Math.max(selection.start, selection.end);
  const messages = conversation.messages.filter(({ extent }) => extent.start < end && start < extent.end);
  if (messages.length > 0) return { ...conversation, messages };
  const message = 'The selection holds no message, so the whole prompt was explained.';
  return { ...conversation, warnings: [...conversation.warnings, { code: 'W_SELECTION_OUTSIDE', message }] };
}
