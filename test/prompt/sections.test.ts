import { describe, expect, test } from 'vitest';
import { readPrompt } from '../../src/prompt/readPrompt.ts';
import type { PromptFormat } from '../../src/shared/protocol/engine.ts';
import { exact, moving, trimming } from './templates.ts';

async function outline(text: string, format: PromptFormat, mode: 'auto' | 'raw' = 'auto'): Promise<string[]> {
  const prompt = await readPrompt({ text, format, mode }, exact);
  return prompt.sections.map((section, index) => {
    const before = prompt.sections.slice(0, index);
    const depth = before.filter((other) => other.start <= section.start && section.end <= other.end).length;
    return `${'  '.repeat(depth)}${section.kind} ${section.label} = ${JSON.stringify(prompt.text.slice(section.start, section.end))}`;
  });
}

const cases: readonly (readonly [string, PromptFormat, string, readonly string[]])[] = [
  ['one paragraph', 'text', 'The capital of France is', ['paragraph The capital of France is = "The capital of France is"']],
  ['paragraphs, CRLF', 'text', ' a\r\nb\r\n\r\nc ', ['paragraph a = "a\\r\\nb"', 'paragraph c = "c"']],
  [
    'passages',
    'text',
    'Answer.\n\n[1] One.\n\n[2] Two.\n\nDocument 3: Three.\n\nQuestion: Who?',
    [
      'paragraph Answer. = "Answer."',
      'passage [1] One. = "[1] One."',
      'passage [2] Two. = "[2] Two."',
      'passage Document 3: Three. = "Document 3: Three."',
      'paragraph Question: Who? = "Question: Who?"',
    ],
  ],
  [
    'few-shot examples, and the question after them',
    'markdown',
    'Classify.\n\nReview: Bad.\nSentiment: negative\n\nReview: Good.\nSentiment: positive\n\nReview: Fine.\nSentiment:',
    [
      'paragraph Classify. = "Classify."',
      'example example 1 = "Review: Bad.\\nSentiment: negative"',
      'example example 2 = "Review: Good.\\nSentiment: positive"',
      'paragraph Review: Fine. = "Review: Fine.\\nSentiment:"',
    ],
  ],
  [
    'headings hold what follows',
    'markdown',
    '# A\n\none\n\n## B\n\ntwo\n\n# C #\n\nthree',
    [
      'heading A = "# A\\n\\none\\n\\n## B\\n\\ntwo"',
      '  paragraph one = "one"',
      '  heading B = "## B\\n\\ntwo"',
      '    paragraph two = "two"',
      'heading C # = "# C #\\n\\nthree"',
      '  paragraph three = "three"',
    ],
  ],
  [
    'lists nest, code keeps its language',
    'markdown',
    '- a\n  - b\n    ```js\n    x\n    ```\n- c\n\n```\ny\n```',
    [
      'list-item a = "- a\\n  - b\\n    ```js\\n    x\\n    ```"',
      '  list-item b = "- b\\n    ```js\\n    x\\n    ```"',
      '    code code js = "```js\\n    x\\n    ```"',
      'list-item c = "- c"',
      'code code = "```\\ny\\n```"',
    ],
  ],
  [
    'quotes and tables',
    'markdown',
    '> said\n> so\n\n| a | b |\n|---|---|\n| 1 | 2 |',
    ['quote said = "> said\\n> so"', 'table | a | b | = "| a | b |\\n|---|---|\\n| 1 | 2 |"'],
  ],
  [
    'variables without a value',
    'markdown',
    'Hi {{ name }}!',
    ['paragraph Hi {{ name }}! = "Hi {{ name }}!"', '  variable name = "{{ name }}"'],
  ],
  [
    'a long first line is cut',
    'text',
    'word '.repeat(20).trim(),
    [`paragraph word word word word word word word word… = "${'word '.repeat(20).trim()}"`],
  ],
];

test.each(cases)('%s', async (_, format, text, expected) => expect(await outline(text, format)).toEqual(expected));

describe('messages', () => {
  const text = JSON.stringify([
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: '# Task\n\nSay hi' },
    { role: 'assistant', content: 'hi' },
    { role: 'user', content: ' again\n' },
  ]);
  test('hold the sections of their Markdown; a lone paragraph is the message itself', async () => {
    expect(await outline(text, 'messages-json')).toEqual([
      'message system = "Be kind."',
      'message user 1 = "# Task\\n\\nSay hi"',
      '  heading Task = "# Task\\n\\nSay hi"',
      '    paragraph Say hi = "Say hi"',
      'message assistant = "hi"',
      'message user 2 = " again\\n"',
    ]);
  });
  test('stay right where a template trims or moves them', async () => {
    for (const template of [trimming, moving]) {
      const prompt = await readPrompt({ text, format: 'messages-json', mode: 'auto' }, template);
      const heading = prompt.sections.find((section) => section.kind === 'heading');
      expect(prompt.text.slice(heading?.start, heading?.end)).toBe('# Task\n\nSay hi');
      expect(prompt.sections.find((section) => section.label === 'user 2')).toMatchObject({ role: 'user' });
      expect(prompt.text.slice(prompt.sections.at(-1)?.start, prompt.sections.at(-1)?.end)).toBe('again');
    }
  });
  test('without a template: contents with a blank line between, no roles', async () => {
    const prompt = await readPrompt({ text, format: 'messages-json', mode: 'raw' }, null);
    expect(prompt).toMatchObject({ mode: 'raw', text: 'Be kind.\n\n# Task\n\nSay hi\n\nhi\n\n again', templateRanges: [] });
  });
});

describe('selections of messages', () => {
  const text =
    'messages:\n  - role: system\n    content: Be kind.\n  - role: user\n    content: Hello {{n}}\ntestData:\n  - n: Ada\n';
  const select = (words: string) => {
    const start = text.indexOf(words);
    return readPrompt({ text, format: 'prompt-yml', mode: 'raw', selection: { start, end: start + words.length } }, null);
  };
  test.each([
    ['Hello', 'Hello Ada', []],
    ['kind.\n  - role: user', 'Be kind.\n\nHello Ada', []],
    ['Ada', 'Be kind.\n\nHello Ada', ['W_SELECTION_OUTSIDE']],
  ])('%j', async (words, expected, warnings) => {
    const prompt = await select(words);
    expect(prompt.text).toBe(expected);
    expect(prompt.warnings.map((warning) => warning.code)).toEqual(warnings);
  });
  test('a caret selects nothing', async () => {
    expect(
      (await readPrompt({ text, format: 'prompt-yml', mode: 'raw', selection: { start: 30, end: 30 } }, null)).text,
    ).toContain('Be kind.');
  });
});

describe('raw or chat', () => {
  const json = '[{"role":"user","content":"a"}]';
  test.each([
    ['text', 'auto', 'raw'],
    ['markdown', 'auto', 'raw'],
    ['messages-json', 'auto', 'chat'],
    ['text', 'chat', 'chat'],
    ['messages-json', 'raw', 'raw'],
  ] as const)('%s with %s is %s', async (format, mode, expected) => {
    const prompt = await readPrompt({ text: format === 'messages-json' ? json : 'a', uri: 'file:///p', format, mode }, exact);
    expect(prompt).toMatchObject({ mode: expected, uri: 'file:///p' });
  });
  test('white space at the end of a raw prompt is warned of', async () => {
    const prompt = await readPrompt({ text: 'The capital of France is ', format: 'text', mode: 'auto' }, null);
    expect(prompt.warnings.map((warning) => warning.code)).toEqual(['W_TRAILING_SPACE']);
  });
});
