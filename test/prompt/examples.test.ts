import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPrompt } from '../../src/prompt/readPrompt.ts';
import { detectFormat } from '../../src/shared/promptFormat.ts';
import { trimming } from './templates.ts';

const folder = new URL('../../examples/', import.meta.url);

/** [file, mode, sections by kind] */
const expected = {
  'capital.md': ['raw', { paragraph: 1 }],
  'chat.json': ['chat', { message: 4 }],
  'few-shot.md': ['raw', { paragraph: 2, example: 4 }],
  'injection.md': ['raw', { paragraph: 3 }],
  'rag.md': ['raw', { paragraph: 2, passage: 3 }],
  'support.prompt.yml': ['chat', { message: 2, paragraph: 1, variable: 4, 'list-item': 3 }],
} as const;

test('every example is listed here', () => {
  expect(
    readdirSync(folder)
      .filter((name) => name !== 'README.md')
      .sort(),
  ).toEqual(Object.keys(expected));
});

test.each(Object.entries(expected))('%s', async (name, [mode, kinds]) => {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const prompt = await readPrompt({ text, format: detectFormat(name), mode: 'auto' }, trimming);
  const counts: Record<string, number> = {};
  for (const { kind } of prompt.sections) counts[kind] = (counts[kind] ?? 0) + 1;
  expect(prompt.mode).toBe(mode);
  expect(counts).toEqual(kinds);
  expect(prompt.warnings).toEqual([]);
  expect(readFileSync(new URL('README.md', folder), 'utf8')).toContain(`\`${name}\``);
});
