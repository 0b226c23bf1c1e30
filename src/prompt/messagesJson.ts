/** JSON message arrays: `[{ role, content }, …]` or `{ "messages": […] }`; content is a string or a list of text parts. */
import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { promptJson, promptShape } from '../shared/errorCatalog.ts';
import type { Warning } from '../shared/explanation.ts';
import type { Conversation, ConversationMessage } from './conversation.ts';
import { readJsonString } from './escapedText.ts';
import { linePosition } from './linePosition.ts';
import { MappedTextBuilder, unmapped, type MappedText } from './mappedText.ts';
import { substitute } from './variables.ts';

/**
 * Comments and a trailing comma are allowed. Variables are filled in only where `given` names them.
 * @throws E_PROMPT_JSON, E_PROMPT_SHAPE, E_PROMPT_TOO_LONG
 */
export function readMessagesJson(text: string, given: Readonly<Record<string, string>>): Conversation {
  const root = parse(text);
  const values = new Map(Object.entries(given).map(([name, value]): [string, MappedText] => [name, unmapped(value)]));
  const list = root.type === 'object' ? findNodeAtLocation(root, ['messages']) : root;
  if (list?.type !== 'array')
    throw shape(text, list ?? root, 'a list of messages is needed, or an object with one under "messages"');
  const warnings: Warning[] = [];
  const messages = (list.children ?? []).map((node): ConversationMessage => {
    if (node.type !== 'object') throw shape(text, node, 'a message must be an object with role and content');
    const role = findNodeAtLocation(node, ['role']);
    if (role?.type !== 'string' || String(role.value).trim() === '') throw shape(text, role ?? node, 'a message needs a role');
    const content = readContent(text, node, warnings);
    return {
      role: String(role.value),
      ...substitute(content, values),
      extent: { start: node.offset, end: node.offset + node.length },
    };
  });
  if (messages.length === 0) throw shape(text, list, 'the list of messages is empty');
  return { messages, warnings };
}

function readContent(text: string, message: Node, warnings: Warning[]): MappedText {
  const content = findNodeAtLocation(message, ['content']);
  if (content?.type === 'string') return readString(text, content);
  // An assistant message that only calls tools has no text.
  if (content?.type === 'null' && findNodeAtLocation(message, ['tool_calls']) !== undefined) return unmapped('');
  if (content?.type !== 'array')
    throw shape(text, content ?? message, 'the content of a message must be a string or a list of text parts');
  const joined = new MappedTextBuilder();
  for (const part of content.children ?? []) {
    const value = part.type === 'object' ? findNodeAtLocation(part, ['text']) : part;
    if (value?.type === 'string') {
      joined.append(readString(text, value));
      continue;
    }
    const kind: unknown = part.type === 'object' ? findNodeAtLocation(part, ['type'])?.value : undefined;
    if (typeof kind !== 'string' || kind === 'text') throw shape(text, part, 'a content part must be text');
    const { line } = linePosition(text, part.offset);
    warnings.push({ code: 'W_CONTENT_PART_SKIPPED', message: `Line ${line}: a part that is not text was left out.` });
  }
  return joined.build();
}

function readString(text: string, node: Node): MappedText {
  return readJsonString(text, node.offset, node.offset + node.length, String(node.value));
}

function parse(text: string): Node {
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    // The parser recurses: a document nested thousands of levels deep ends its stack.
    if (error instanceof RangeError) throw promptJson(1, 1, 'it is nested too deeply');
    throw error;
  }
  const first = errors[0];
  if (first !== undefined || root === undefined) {
    const { line, column } = linePosition(text, first?.offset ?? 0);
    throw promptJson(line, column, first === undefined ? 'it holds no value' : printParseErrorCode(first.error));
  }
  return root;
}

function shape(text: string, node: Node, why: string): Error {
  const { line, column } = linePosition(text, node.offset);
  return promptShape(`line ${line}, column ${column}: ${why}`, { line, column });
}
