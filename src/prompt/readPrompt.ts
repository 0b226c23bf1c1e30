/** From a document to what the model reads, with the way back. See docs/prompts.md. */
import { promptEmpty, templateMissing } from '../shared/errorCatalog.ts';
import type { Warning } from '../shared/explanation.ts';
import type { PromptSource } from '../shared/protocol/engine.ts';
import type { Section, SourceSegment, TextRange } from '../shared/tokens.ts';
import { checkPromptText } from './checkPromptText.ts';
import { contentSections, messageSection, roleWarnings, withoutLoneParagraph } from './contentSections.ts';
import type { Conversation, ConversationMessage } from './conversation.ts';
import { MappedTextBuilder, sliceMapped, verbatim, type MappedText } from './mappedText.ts';
import { readMessagesJson } from './messagesJson.ts';
import { readPromptYml } from './promptYml.ts';
import type { RenderChat, RenderedPrompt } from './renderedPrompt.ts';
import { renderMessages } from './renderMessages.ts';
import { selectMessages } from './selectMessages.ts';

export type { RenderChat, RenderedPrompt } from './renderedPrompt.ts';

/**
 * @param renderChat the model's chat template, or null when no model is at hand (raw mode only)
 * @throws E_PROMPT_EMPTY, E_PROMPT_BLANK, E_PROMPT_BINARY, E_PROMPT_INVALID, E_PROMPT_TOO_LONG, E_PROMPT_YAML, E_PROMPT_JSON,
 * E_PROMPT_SHAPE, E_VARIABLE_MISSING, E_TEMPLATE_MISSING, and what the chat template throws
 */
export async function readPrompt(source: PromptSource, renderChat: RenderChat | null): Promise<RenderedPrompt> {
  const conversation = readConversation(source);
  const chat = source.mode === 'chat' || (source.mode === 'auto' && conversation !== null);
  const uri = source.uri === undefined ? {} : { uri: source.uri };
  if (conversation === null) {
    const content = selectedText(source);
    checkPromptText(content.text);
    if (!chat) return { ...uri, ...rawText(content, source.format) };
    const { start, end } = { start: 0, end: source.text.length };
    const message: ConversationMessage = { role: 'user', content, variables: [], extent: { start, end } };
    return { ...uri, ...(await renderedChat({ messages: [message], warnings: [] }, source.format, renderChat)) };
  }
  checkMessages(conversation.messages);
  return { ...uri, ...(chat ? await renderedChat(conversation, 'markdown', renderChat) : joined(conversation)) };
}

/** Null for formats that hold no messages. */
function readConversation(source: PromptSource): Conversation | null {
  if (source.format !== 'prompt-yml' && source.format !== 'messages-json') return null;
  checkPromptText(source.text);
  const read = source.format === 'prompt-yml' ? readPromptYml : readMessagesJson;
  return selectMessages(read(source.text, source.variables ?? {}), source.selection);
}

function checkMessages(messages: readonly ConversationMessage[]): void {
  if (messages.every((message) => message.content.text === '')) throw promptEmpty();
  checkPromptText(messages.map((message) => message.content.text).join('\n'));
}

/** Exactly the selection; of a whole Markdown file, the line break that ends its last line is not part of the prompt. */
function selectedText({ text, format, selection }: PromptSource): MappedText {
  if (selection !== undefined && selection.start !== selection.end) {
    const [start, end] = [selection.start, selection.end].sort((a, b) => a - b);
    return verbatim(text, Math.max(0, start ?? 0), Math.min(text.length, end ?? 0));
  }
  const dropped = format === 'markdown' ? (/(?:\r\n|\r|\n)$/u.exec(text)?.[0].length ?? 0) : 0;
  return verbatim(text, 0, text.length - dropped);
}

function rawText(content: MappedText, format: PromptSource['format']): Omit<RenderedPrompt, 'uri'> {
  return {
    mode: 'raw',
    text: content.text,
    sections: contentSections(content.text, [], format),
    sourceMap: content.segments,
    templateRanges: [],
    warnings: trailingSpaceWarnings(content.text),
  };
}

/** Messages without a template: contents without the white space at their end, one blank line between them, no roles. */
function joined({ messages, warnings }: Conversation): Omit<RenderedPrompt, 'uri'> {
  const text = new MappedTextBuilder();
  const sections: Section[] = [];
  messages.forEach((message, index) => {
    const content = sliceMapped(message.content, 0, message.content.text.trimEnd().length);
    if (content.text === '') return;
    if (text.length > 0) text.append({ text: '\n\n', segments: [] });
    const range = text.append(content);
    sections.push(messageSection(messages, index, range), ...placedSections(message, 'markdown', range, 0));
  });
  const built = text.build();
  return {
    mode: 'raw',
    text: built.text,
    sections,
    sourceMap: built.segments,
    templateRanges: [],
    warnings: [...warnings, ...roleWarnings(messages)],
  };
}

async function renderedChat(
  { messages, warnings }: Conversation,
  format: PromptSource['format'],
  renderChat: RenderChat | null,
): Promise<Omit<RenderedPrompt, 'uri'>> {
  if (renderChat === null) throw templateMissing();
  const rendered = await renderMessages(
    messages.map(({ role, content }) => ({ role, content: content.text })),
    renderChat,
  );
  checkPromptText(rendered.text);
  const sections: Section[] = [];
  const sourceMap: SourceSegment[] = [];
  for (const { message: index, start, end, skipped } of rendered.placed) {
    const message = messages[index] as ConversationMessage;
    sections.push(messageSection(messages, index, { start, end }), ...placedSections(message, format, { start, end }, skipped));
    for (const segment of sliceMapped(message.content, skipped, skipped + end - start).segments) {
      sourceMap.push({ start: start + segment.start, end: start + segment.end, documentStart: segment.documentStart });
    }
  }
  const lost: Warning[] =
    rendered.unplaced.length === 0
      ? []
      : [
          {
            code: 'W_SOURCE_MAP_PARTIAL',
            message: `The chat template changed ${rendered.unplaced.length} of ${messages.length} messages in a way that cannot be traced, so their words cannot be marked in the document.`,
          },
        ];
  return {
    mode: 'chat',
    text: rendered.text,
    sections,
    sourceMap,
    // With a message not found, what is left over is not all the template's.
    templateRanges: rendered.unplaced.length === 0 ? gaps(rendered.placed, rendered.text.length) : [],
    warnings: [...warnings, ...roleWarnings(messages), ...lost],
  };
}

/** Sections of a message's content, moved to where the content stands and cut to what of it is there. */
function placedSections(
  message: ConversationMessage,
  format: PromptSource['format'],
  range: TextRange,
  skipped: number,
): Section[] {
  const shift = range.start - skipped;
  const { text } = message.content;
  return withoutLoneParagraph(contentSections(text, message.variables, format), text)
    .map((section) => ({
      ...section,
      start: Math.max(range.start, section.start + shift),
      end: Math.min(range.end, section.end + shift),
    }))
    .filter((section) => section.start < section.end);
}

function gaps(placed: readonly TextRange[], length: number): TextRange[] {
  const ranges: TextRange[] = [];
  let at = 0;
  for (const { start, end } of [...placed, { start: length, end: length }]) {
    if (start > at) ranges.push({ start: at, end: start });
    at = end;
  }
  return ranges;
}

function trailingSpaceWarnings(text: string): Warning[] {
  if (!/\s$/u.test(text)) return [];
  const message = 'The prompt ends with white space, after which models often answer differently; remove it unless it is meant.';
  return [{ code: 'W_TRAILING_SPACE', message }];
}
