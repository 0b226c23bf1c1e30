import { describe, expect, test } from 'vitest';
import { readPrompt } from '../../src/prompt/readPrompt.ts';
import { templateFailed } from '../../src/shared/errorCatalog.ts';
import { LoupeError } from '../../src/shared/errors.ts';
import type { PromptFormat, PromptSource } from '../../src/shared/protocol/engine.ts';
import { dropping, exact } from './templates.ts';

async function failure(text: string, format: PromptFormat, more: Partial<PromptSource> = {}): Promise<LoupeError> {
  try {
    await readPrompt({ text, format, mode: 'auto', ...more }, exact);
  } catch (error) {
    if (error instanceof LoupeError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const yml = (content: string) => `messages:\n  - role: user\n    content: ${content}\n`;
const json = (content: string) => `[{"role":"user","content":${content}}]`;

/** [what it is, document, format, code, part of the reason] */
const cases: readonly (readonly [string, string, PromptFormat, string, string])[] = [
  ['empty text', '', 'text', 'E_PROMPT_EMPTY', ''],
  ['empty Markdown', '', 'markdown', 'E_PROMPT_EMPTY', ''],
  ['a Markdown file of one line break', '\n', 'markdown', 'E_PROMPT_EMPTY', ''],
  ['empty YAML', '', 'prompt-yml', 'E_PROMPT_EMPTY', ''],
  ['empty JSON', '', 'messages-json', 'E_PROMPT_EMPTY', ''],
  ['spaces', '  \t \r\n ', 'text', 'E_PROMPT_BLANK', ''],
  ['invisible characters', '\u200b\ufeff \u2060', 'text', 'E_PROMPT_BLANK', ''],
  ['messages of nothing', json('""'), 'messages-json', 'E_PROMPT_EMPTY', ''],
  ['messages of spaces', yml('"  \\n "'), 'prompt-yml', 'E_PROMPT_BLANK', ''],
  ['NUL', 'abc\0def', 'text', 'E_PROMPT_BINARY', 'offset 3'],
  ['bytes of a picture', '\x89PNG\r\n\x1a\n\0\0', 'markdown', 'E_PROMPT_BINARY', 'offset'],
  ['control characters', 'a\x01b', 'prompt-yml', 'E_PROMPT_BINARY', 'offset 1'],
  ['an escaped NUL in JSON', json('"a\\u0000"'), 'messages-json', 'E_PROMPT_BINARY', ''],
  ['a lone high surrogate', 'a\ud83d', 'text', 'E_PROMPT_INVALID', 'offset 1'],
  ['a lone low surrogate', '\ude00a', 'markdown', 'E_PROMPT_INVALID', 'offset 0'],
  ['an escaped lone surrogate in JSON', json('"a\\ud83d!"'), 'messages-json', 'E_PROMPT_INVALID', ''],
  ['an escaped lone surrogate in YAML', yml('"a\\ud83d!"'), 'prompt-yml', 'E_PROMPT_INVALID', ''],
  ['an open quote in YAML', 'messages:\n  - role: user\n    content: "open\n', 'prompt-yml', 'E_PROMPT_YAML', 'line 4, column 1'],
  ['a tab as YAML indentation', 'messages:\n\t- role: user\n', 'prompt-yml', 'E_PROMPT_YAML', 'line 2, column 1'],
  ['a key twice', 'messages: []\nmessages: []\n', 'prompt-yml', 'E_PROMPT_YAML', 'line 2, column 1'],
  ['an unknown alias', yml('*nobody'), 'prompt-yml', 'E_PROMPT_YAML', 'line 3, column 14'],
  ['two YAML documents', `${yml('a')}---\n${yml('b')}`, 'prompt-yml', 'E_PROMPT_YAML', 'line'],
  ['YAML nested without end', '['.repeat(60_000), 'prompt-yml', 'E_PROMPT_YAML', ''],
  ['YAML that is text', 'just words', 'prompt-yml', 'E_PROMPT_SHAPE', 'line 1, column 1'],
  ['YAML without messages', 'name: x\n', 'prompt-yml', 'E_PROMPT_SHAPE', 'messages must be a list'],
  ['messages that are text', 'messages: hello\n', 'prompt-yml', 'E_PROMPT_SHAPE', 'line 1, column 11'],
  ['no message in YAML', 'messages: []\n', 'prompt-yml', 'E_PROMPT_SHAPE', 'messages is empty'],
  ['a message that is text', 'messages:\n  - hello\n', 'prompt-yml', 'E_PROMPT_SHAPE', 'line 2, column 5'],
  ['a message without a role', 'messages:\n  - content: a\n', 'prompt-yml', 'E_PROMPT_SHAPE', 'needs a role'],
  ['a message without content', 'messages:\n  - role: user\n', 'prompt-yml', 'E_PROMPT_SHAPE', 'content of a message'],
  ['content that is a list', yml('[a]'), 'prompt-yml', 'E_PROMPT_SHAPE', 'line 3, column 14'],
  ['test data that is text', `${yml('a')}testData: x\n`, 'prompt-yml', 'E_PROMPT_SHAPE', 'testData must be a list'],
  ['a row of test data that is text', `${yml('a')}testData: [x]\n`, 'prompt-yml', 'E_PROMPT_SHAPE', 'row of testData'],
  ['a JSON comma too few', '[{"role": "user"\n "content": "a"}]', 'messages-json', 'E_PROMPT_JSON', 'line 2, column 2'],
  ['JSON that ends early', '[{"role": "user",', 'messages-json', 'E_PROMPT_JSON', 'line 1, column'],
  ['an unknown JSON escape', json('"\\q"'), 'messages-json', 'E_PROMPT_JSON', 'line 1'],
  ['only a comment', '// nothing', 'messages-json', 'E_PROMPT_JSON', 'line 1'],
  ['JSON nested without end', '['.repeat(60_000), 'messages-json', 'E_PROMPT_JSON', ''],
  ['a JSON number', '42', 'messages-json', 'E_PROMPT_SHAPE', 'line 1, column 1'],
  ['a JSON object without messages', '{"a": 1}', 'messages-json', 'E_PROMPT_SHAPE', 'list of messages'],
  ['no message in JSON', '{"messages": []}', 'messages-json', 'E_PROMPT_SHAPE', 'empty'],
  ['a JSON message that is text', '["a"]', 'messages-json', 'E_PROMPT_SHAPE', 'line 1, column 2'],
  ['a role that is a number', '[{"role": 1, "content": "a"}]', 'messages-json', 'E_PROMPT_SHAPE', 'needs a role'],
  ['content that is a number', json('1'), 'messages-json', 'E_PROMPT_SHAPE', 'string or a list'],
  ['null content', json('null'), 'messages-json', 'E_PROMPT_SHAPE', 'string or a list'],
  ['a text part without text', json('[{"type": "text"}]'), 'messages-json', 'E_PROMPT_SHAPE', 'content part'],
];

test.each(cases)('%s', async (_, text, format, code, reason) => {
  const error = await failure(text, format);
  expect(error.code).toBe(code);
  expect(error.message).toContain(reason);
  expect(error.kind).toBe('input');
  for (const part of [error.parts.what, error.parts.why, error.parts.action]) expect(part.length).toBeGreaterThan(8);
});

describe('variables', () => {
  test('all missing names are listed once', async () => {
    const error = await failure(`${yml('"{{a}} {{ b }} {{a}} {{c}}"')}testData:\n  - b: x\n    c:\n`, 'prompt-yml');
    expect(error.code).toBe('E_VARIABLE_MISSING');
    expect(error.parts.details).toEqual({ names: ['a', 'c'] });
  });

  test('values that would fill the memory', async () => {
    const error = await failure(
      `${yml('{{v}}'.repeat(0) + `"${'{{v}}'.repeat(5000)}"`)}testData:\n  - v: ${'x'.repeat(5000)}\n`,
      'prompt-yml',
    );
    expect(error.code).toBe('E_PROMPT_TOO_LONG');
  });

  test('lone braces and odd names stay as they are', async () => {
    const text = json('"{{}} {{ }} {x} {{1a}} }} {{a b}} {{{"');
    expect((await readPrompt({ text, format: 'messages-json', mode: 'raw' }, null)).text).toBe(
      '{{}} {{ }} {x} {{1a}} }} {{a b}} {{{',
    );
  });

  test('a value that looks like a variable is not filled in again', async () => {
    const text = `${yml('"{{a}}"')}testData:\n  - a: "{{b}} {{a}}"\n    b: secret\n`;
    expect((await readPrompt({ text, format: 'prompt-yml', mode: 'raw' }, null)).text).toBe('{{b}} {{a}}');
  });

  test('names of an object’s own machinery are ordinary names', async () => {
    const error = await failure(yml('"{{constructor}} {{__proto__}}"'), 'prompt-yml', { variables: {} });
    expect(error.parts.details).toEqual({ names: ['constructor', '__proto__'] });
  });
});

describe('aliases', () => {
  test('an alias is read where its anchor stands', async () => {
    const text = 'messages:\n  - role: system\n    content: &c hello there\n  - role: user\n    content: *c\n';
    const prompt = await readPrompt({ text, format: 'prompt-yml', mode: 'raw' }, null);
    expect(prompt.text).toBe('hello there\n\nhello there');
    expect(prompt.sourceMap.map((segment) => text.slice(segment.documentStart, segment.documentStart + 5))).toEqual([
      'hello',
      'hello',
    ]);
  });

  test('a bomb of aliases is never expanded', async () => {
    const levels = Array.from(
      { length: 40 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array.from({ length: 10 }, () => `*l${i}`).join(', ')}]`,
    );
    const text = `l0: &l0 boom\n${levels.join('\n')}\n${yml('hello')}`;
    expect((await readPrompt({ text, format: 'prompt-yml', mode: 'raw' }, null)).text).toBe('hello');
  });

  test('more aliases than a person writes', async () => {
    const error = await failure(
      `x: &x { role: user, content: a }\nmessages: [${Array.from({ length: 1_001 }, () => '*x').join(', ')}]\n`,
      'prompt-yml',
    );
    expect(error.code).toBe('E_PROMPT_YAML');
    expect(error.message).toContain('line 2');
  });

  test('an alias to its own list', async () => {
    const error = await failure('messages: &m\n  - *m\n', 'prompt-yml');
    expect(error.code).toBe('E_PROMPT_SHAPE');
  });
});

describe('size', () => {
  test.each([
    ['words', 'word '.repeat(20_000)],
    ['one word', 'x'.repeat(100_000)],
    ['CJK', '中文字符。'.repeat(20_000)],
    ['emoji', '👩‍👩‍👧‍👦'.repeat(9_000)],
    ['brackets', '['.repeat(100_000)],
    ['dashes in cells', `${'|-'.repeat(25_000)}\n${'|-'.repeat(24_000)}x`],
    ['quotes in quotes', '> '.repeat(50_000)],
    ['list items', '- a\n'.repeat(25_000)],
    ['blank lines', `${' \n'.repeat(50_000)}a`],
    ['braces', '{{'.repeat(50_000)],
  ])('100,000 characters: %s', async (_, text) => {
    const document = text.trimEnd();
    for (const format of ['text', 'markdown'] as const) {
      expect((await readPrompt({ text: document, format, mode: 'chat' }, exact)).sourceMap).toHaveLength(1);
    }
    const messages = JSON.stringify([{ role: 'user', content: document }]);
    expect((await readPrompt({ text: messages, format: 'messages-json', mode: 'auto' }, exact)).text).toContain(document);
  });

  test('a quoted scalar of spaces', async () => {
    const text = yml(`"a${' '.repeat(100_000)}b"`);
    expect((await readPrompt({ text, format: 'prompt-yml', mode: 'raw' }, null)).sourceMap).toHaveLength(1);
  });

  test('more than any context', async () =>
    expect((await failure('x'.repeat(4_000_001), 'text')).code).toBe('E_PROMPT_TOO_LONG'));
});

describe('roles and templates', () => {
  const text = '[{"role":"narrator","content":"Once"},{"role":"user","content":"Go on"}]';

  test('an unknown role is passed on, with a warning', async () => {
    for (const mode of ['auto', 'raw'] as const) {
      const prompt = await readPrompt({ text, format: 'messages-json', mode }, exact);
      expect(prompt.warnings.map((warning) => warning.code)).toEqual(['W_ROLE_UNKNOWN']);
      expect(prompt.sections[0]).toMatchObject({ kind: 'message', label: 'narrator' });
      expect(prompt.sections[0]).not.toHaveProperty('role');
    }
  });

  test('what a template throws is passed on', async () => {
    const refusing = () => Promise.reject(templateFailed('roles must alternate'));
    await expect(readPrompt({ text, format: 'messages-json', mode: 'auto' }, refusing)).rejects.toMatchObject({
      code: 'E_TEMPLATE',
    });
  });

  test('a template that refuses only the private words costs the map, not the prompt', async () => {
    const picky = (messages: readonly { role: string; content: string }[]) => {
      if (messages.some((message) => message.content.includes('loupe'))) return Promise.reject(templateFailed('no'));
      return exact(messages);
    };
    const prompt = await readPrompt({ text, format: 'messages-json', mode: 'auto' }, picky);
    expect(prompt.text).toContain('Go on');
    expect(prompt.sourceMap).toEqual([]);
    expect(prompt.warnings.map((warning) => warning.code)).toContain('W_SOURCE_MAP_PARTIAL');
  });

  test('chat without a template', async () => {
    await expect(readPrompt({ text: 'a', format: 'text', mode: 'chat' }, null)).rejects.toMatchObject({
      code: 'E_TEMPLATE_MISSING',
      kind: 'model',
    });
  });

  test('a template that leaves everything out', async () => {
    const system = '[{"role":"system","content":"a"}]';
    await expect(readPrompt({ text: system, format: 'messages-json', mode: 'auto' }, dropping)).rejects.toMatchObject({
      code: 'E_PROMPT_EMPTY',
    });
  });
});

describe('selections', () => {
  test('half a surrogate pair', async () => {
    expect((await failure('a🙂b', 'text', { selection: { start: 0, end: 2 } })).code).toBe('E_PROMPT_INVALID');
  });
  test('only spaces', async () => {
    expect((await failure('a   b', 'text', { selection: { start: 1, end: 3 } })).code).toBe('E_PROMPT_BLANK');
  });
  test('beyond the end', async () => {
    const prompt = await readPrompt({ text: 'abc', format: 'text', mode: 'auto', selection: { start: 1, end: 99 } }, null);
    expect(prompt.text).toBe('bc');
  });
});
