/**
 * Where messages land in the text that a chat template makes of them. A template is a program: it may trim, repeat, move or drop
 * contents. So it is run once more with private words in their place, which shows where contents go, and the real rendering must
 * then equal those pieces with the contents between them, in exactly one way. What does not fit has no map.
 */
import type { TextRange } from '../shared/tokens.ts';
import { fitContents } from './fitContents.ts';
import type { RenderChat } from './renderedPrompt.ts';

export interface PlacedContent extends TextRange {
  readonly message: number;
  /** How much of the content's beginning the template trimmed; the range's length says the rest. */
  readonly skipped: number;
}

export interface RenderedMessages {
  readonly text: string;
  /** Ascending and disjoint; a message can stand several times, or never. */
  readonly placed: readonly PlacedContent[];
  /** Messages whose place in the text is not known for sure. */
  readonly unplaced: readonly number[];
}

type Messages = readonly { readonly role: string; readonly content: string }[];

/** Looking for messages one by one costs a rendering each. */
const singlyAtMost = 100;

/** @throws what the template throws on the real messages */
export async function renderMessages(messages: Messages, renderChat: RenderChat): Promise<RenderedMessages> {
  const text = await renderChat(messages);
  const word = privateWord(messages, text);
  // Blank contents have nothing to locate, and a word in their place could take another branch of the template.
  const all = messages.flatMap((message, index) => (message.content.trim() === '' ? [] : [index]));
  const together = await locate(messages, new Set(all), word, text, renderChat);
  if (together !== null) return { text, placed: together, unplaced: [] };
  const placed: PlacedContent[] = [];
  const unplaced: number[] = [];
  for (const [count, index] of all.entries()) {
    const found = count < singlyAtMost ? await locate(messages, new Set([index]), word, text, renderChat) : null;
    if (found === null) unplaced.push(index);
    else placed.push(...found);
  }
  placed.sort((a, b) => a.start - b.start);
  const overlapping = placed.some((place, i) => i > 0 && place.start < (placed[i - 1] as PlacedContent).end);
  return overlapping ? { text, placed: [], unplaced: all } : { text, placed, unplaced };
}

/** Places of the `hidden` messages, or null when they cannot be told for sure. */
async function locate(
  messages: Messages,
  hidden: ReadonlySet<number>,
  word: string,
  text: string,
  renderChat: RenderChat,
): Promise<PlacedContent[] | null> {
  const masked = messages.map((message, index) =>
    hidden.has(index) ? { ...message, content: `${word}${index}${word}` } : message,
  );
  let rendered: string;
  try {
    rendered = await renderChat(masked);
  } catch {
    // A template may refuse contents it does not know; the real messages were rendered, so this only costs the map.
    return null;
  }
  const pieces = rendered.split(new RegExp(`${word}(\\d+)${word}`, 'u'));
  const template = pieces.filter((_, i) => i % 2 === 0);
  const order = pieces.filter((_, i) => i % 2 === 1).map(Number);
  if (template.some((piece) => piece.includes(word))) return null;
  return fitContents(
    text,
    template,
    order.map((message) => ({ message, content: messages[message]?.content ?? '' })),
  );
}

/** Plain letters, so that a template that escapes or splits its contents leaves it alone; found nowhere in the prompt. */
function privateWord(messages: Messages, text: string): string {
  for (let attempt = 0; ; attempt++) {
    const word = `qzloupe${'x'.repeat(attempt)}zq`;
    if (!text.includes(word) && !messages.some((message) => message.content.includes(word))) return word;
  }
}
