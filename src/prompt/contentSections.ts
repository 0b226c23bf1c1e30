import type { Warning } from '../shared/explanation.ts';
import type { PromptFormat } from '../shared/protocol/engine.ts';
import type { Role, Section, TextRange } from '../shared/tokens.ts';
import type { ConversationMessage } from './conversation.ts';
import { markdownSections } from './markdownSections.ts';
import { textSections } from './textSections.ts';
import { variableSections } from './variables.ts';

const roles: readonly Role[] = ['system', 'user', 'assistant', 'tool', 'developer'];

/** Sections of one text, outermost first; `filled` are its variables that have values already. */
export function contentSections(text: string, filled: readonly Section[], format: PromptFormat): Section[] {
  const blocks = format === 'text' ? textSections(text) : markdownSections(text);
  const open = variableSections(text).filter(({ start, end }) => !filled.some((other) => start < other.end && other.start < end));
  const order = (a: Section, b: Section): number => a.start - b.start || b.end - a.end;
  return [...blocks, ...[...filled, ...open].sort(order)].sort(order);
}

/** Inside a message, a paragraph that is all of it would only hide the message's own name. */
export function withoutLoneParagraph(sections: readonly Section[], text: string): readonly Section[] {
  const whole = text.trim().length;
  return sections.filter((section) => section.kind !== 'paragraph' || section.end - section.start < whole);
}

/** Named after its role; numbered where a role speaks several times. */
export function messageSection(messages: readonly ConversationMessage[], index: number, range: TextRange): Section {
  const name = messages[index]?.role ?? '';
  const same = messages.flatMap((message, at) => (message.role === name ? [at] : []));
  const label = same.length > 1 ? `${name} ${same.indexOf(index) + 1}` : name;
  const role = roles.find((known) => known === name);
  return { kind: 'message', label, ...range, ...(role === undefined ? {} : { role }) };
}

/** An unknown role is passed on: a template may know it, or refuse it in its own words. */
export function roleWarnings(messages: readonly ConversationMessage[]): Warning[] {
  const unknown = [...new Set(messages.map((message) => message.role))].filter((name) => !roles.some((known) => known === name));
  return unknown.map((name) => ({
    code: 'W_ROLE_UNKNOWN',
    message: `The role "${name}" is none of ${roles.join(', ')}; the chat template may ignore its message.`,
  }));
}
