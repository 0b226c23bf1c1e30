import { expect, test } from 'vitest';
import { detectFormat } from '../../src/shared/promptFormat.ts';

test.each([
  ['notes.txt', undefined, 'text'],
  ['README.md', undefined, 'markdown'],
  ['a/b/x.MARKDOWN', undefined, 'markdown'],
  ['file:///a/support.prompt.yml', 'yaml', 'prompt-yml'],
  ['support.PROMPT.YAML', undefined, 'prompt-yml'],
  ['config.yml', 'yaml', 'text'],
  ['chat.json', undefined, 'messages-json'],
  ['chat.jsonc?x=1#y', 'jsonc', 'messages-json'],
  ['untitled:Untitled-1', 'markdown', 'markdown'],
  ['untitled:Untitled-1', 'json', 'messages-json'],
  ['untitled:Untitled-1', 'plaintext', 'text'],
  ['review.prompt.md', 'prompt', 'markdown'],
  ['-', undefined, 'text'],
] as const)('%s (%s) is %s', (name, languageId, expected) => expect(detectFormat(name, languageId)).toBe(expected));
