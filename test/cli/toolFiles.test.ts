/** Files that tools take as parameters are read before an engine starts. */
import { expect, test } from 'vitest';
import { runInPlace } from './runInPlace.ts';
import { scratchFolder } from './scratchFolder.ts';

const { folder, file } = scratchFolder();
const prompt = file('prompt.md', 'in: a\nout: x\nin: b\nout:');

test.each([
  ['label-anchors', 'an empty file', file('empty.jsonl', ''), 'E_TOOL_PARAMETER'],
  ['self-explanation', 'a blank file', file('blank.jsonl', ' \n\n'), 'E_TOOL_PARAMETER'],
  ['label-anchors', 'no file', `${folder}/none.jsonl`, 'E_PROMPT_NOT_FOUND'],
  ['label-anchors', 'bytes that are no text', file('bytes.jsonl', Buffer.from([0xff, 0xfe, 0xff])), 'E_PROMPT_NOT_TEXT'],
])('%s with %s as cases', async (verb, _what, cases, code) => {
  const { code: exit, stdout, stderr } = await runInPlace([verb, prompt, '--cases', cases]);
  expect(stderr).toContain(code);
  expect(stdout).toBe('');
  expect(exit).toBe(3);
});

test.each(['patch', 'path-patch', 'circuit'])('%s with an empty second prompt', async (verb) => {
  const { code, stderr } = await runInPlace([verb, prompt, file('nothing.md', '')]);
  expect(stderr).toContain('E_TOOL_PARAMETER');
  expect(stderr).toContain('the file is empty');
  expect(code).toBe(3);
});
