/**
 * GitHub's `.prompt.yml`: messages with `{{variables}}`, values from the first row of `testData`.
 * Nodes are read where they stand and never expanded, so aliases cost nothing and every value keeps its place.
 */
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Alias, type Document, type Node, type Scalar } from 'yaml';
import { promptShape, promptYaml } from '../shared/errorCatalog.ts';
import { readBlockScalar } from './blockScalar.ts';
import type { Conversation, ConversationMessage } from './conversation.ts';
import { readYamlFlowScalar } from './escapedText.ts';
import { linePosition } from './linePosition.ts';
import { unmapped, verbatim, type MappedText } from './mappedText.ts';
import { requireVariables, substitute } from './variables.ts';

/** Following one walks the whole document. */
const aliasesAtMost = 1_000;

interface RawMessage {
  readonly role: string;
  readonly content: MappedText;
  readonly start: number;
  readonly end: number;
}

/** @throws E_PROMPT_YAML, E_PROMPT_SHAPE, E_VARIABLE_MISSING, E_PROMPT_TOO_LONG */
export function readPromptYml(text: string, given: Readonly<Record<string, string>>): Conversation {
  const reader = new YamlReader(text);
  const messages = reader.messages();
  const values = reader.firstTestRow();
  for (const [name, value] of Object.entries(given)) values.set(name, unmapped(value));
  requireVariables(
    messages.map((message) => message.content.text),
    values,
  );
  return {
    messages: messages.map(
      ({ role, content, start, end }): ConversationMessage => ({ role, ...substitute(content, values), extent: { start, end } }),
    ),
    warnings: [],
  };
}

class YamlReader {
  private readonly document: Document.Parsed;
  private followed = 0;

  constructor(private readonly text: string) {
    this.document = parse(text);
  }

  messages(): RawMessage[] {
    const list = this.property(this.document.contents, 'messages');
    if (!isSeq(list)) throw this.shape(list ?? this.document.contents, 'messages must be a list');
    if (list.items.length === 0) throw this.shape(list, 'messages is empty');
    return list.items.map((item) => this.message(this.resolve(item)));
  }

  /** An empty map when the document has no test data. */
  firstTestRow(): Map<string, MappedText> {
    const values = new Map<string, MappedText>();
    const rows = this.property(this.document.contents, 'testData');
    if (rows === null || (isScalar(rows) && rows.value === null)) return values;
    if (!isSeq(rows)) throw this.shape(rows, 'testData must be a list');
    const row = this.resolve(rows.items[0]);
    if (row === null) return values;
    if (!isMap(row)) throw this.shape(row, 'a row of testData must map names to values');
    for (const pair of row.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : null;
      const value = this.resolve(pair.value);
      if (name !== null && isScalar(value) && value.value !== null) values.set(name, this.scalar(value));
    }
    return values;
  }

  private message(node: Node | null): RawMessage {
    if (!isMap(node)) throw this.shape(node, 'a message must map role and content to text');
    const role = this.property(node, 'role');
    const content = this.property(node, 'content');
    if (!isScalar(role) || typeof role.value !== 'string' || role.value.trim() === '') {
      throw this.shape(role ?? node, 'a message needs a role');
    }
    if (!isScalar(content) || content.value === null) throw this.shape(content ?? node, 'the content of a message must be text');
    return { role: role.value, content: this.scalar(content), start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 0 };
  }

  /** Numbers and booleans count as the text they are written as. */
  private scalar(node: Scalar): MappedText {
    const [start, end] = node.range ?? [0, 0];
    if (typeof node.value !== 'string') return verbatim(this.text, start, end);
    switch (node.type) {
      case 'BLOCK_LITERAL':
      case 'BLOCK_FOLDED':
        return readBlockScalar(this.text, start, end, node.value);
      case 'QUOTE_DOUBLE':
        return readYamlFlowScalar(this.text, start, end, 'double', node.value);
      case 'QUOTE_SINGLE':
        return readYamlFlowScalar(this.text, start, end, 'single', node.value);
      default:
        return readYamlFlowScalar(this.text, start, end, 'plain', node.value);
    }
  }

  private property(node: unknown, name: string): Node | null {
    if (!isMap(node)) throw this.shape(node, 'a prompt file must map names to values, with a list of messages');
    return this.resolve(node.get(name, true));
  }

  private resolve(node: unknown): Node | null {
    if (isAlias(node)) return this.follow(node);
    return (node as Node | null | undefined) ?? null;
  }

  private follow(alias: Alias): Node {
    const { line, column } = linePosition(this.text, alias.range?.[0] ?? 0);
    this.followed += 1;
    if (this.followed > aliasesAtMost) throw promptYaml(line, column, `it follows more than ${aliasesAtMost} aliases`);
    const target = alias.resolve(this.document);
    if (target === undefined) throw promptYaml(line, column, `nothing before it is anchored as &${alias.source}`);
    return target;
  }

  private shape(node: unknown, why: string): Error {
    const offset = (node as Partial<Node> | null)?.range?.[0] ?? 0;
    const { line, column } = linePosition(this.text, offset);
    return promptShape(`line ${line}, column ${column}: ${why}`, { line, column });
  }
}

function parse(text: string): Document.Parsed {
  try {
    const document = parseDocument(text, { prettyErrors: false, merge: false, uniqueKeys: true });
    const error = document.errors[0];
    if (error === undefined) return document;
    const { line, column } = linePosition(text, error.pos[0]);
    throw promptYaml(line, column, error.message);
  } catch (error) {
    // The parser recurses: a document nested thousands of levels deep ends its stack.
    if (error instanceof RangeError) throw promptYaml(1, 1, 'it is nested too deeply');
    throw error;
  }
}
