import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTokenizer } from '../../src/llama/tokenizer/llamaTokenizer.ts';
import { formatTime } from '../../src/model/chatTemplate/formatTime.ts';
import { renderChatTemplate } from '../../src/model/chatTemplate/renderChatTemplate.ts';
import { loadVocabulary } from '../llama/tokenizer/loadVocabulary.ts';

const root = join(import.meta.dirname, '../..');
const messages = [
  { role: 'system', content: 'You are a concise assistant. Always answer in one sentence.' },
  { role: 'user', content: 'What colour do you get when you mix blue and yellow paint?' },
];
const values = { bosToken: '<s>', eosToken: '</s>', addGenerationPrompt: true };

test('the bundled model renders the golden conversation', async () => {
  const tokenizer = createTokenizer(await loadVocabulary(join(root, 'models/SmolLM2-135M-Instruct.Q4_1.gguf')));
  const golden = readFileSync(join(root, 'test/fixtures/golden/chat/prompt.txt'), 'utf8');
  expect(await tokenizer.renderChat(messages)).toBe(golden);
  const header = '<|im_start|>assistant\n';
  expect(await tokenizer.renderChat(messages, { addGenerationPrompt: false })).toBe(golden.slice(0, -header.length));
});

test('a model without a template says so', () => {
  for (const template of [null, '']) {
    expect(() => renderChatTemplate(template, messages, values)).toThrow(expect.objectContaining({ code: 'E_TEMPLATE_MISSING' }));
  }
});

test.each([
  ['{{ bos_token }}{{ messages[0].role }}{{ eos_token }}', '<s>system</s>'],
  ['{% if add_generation_prompt %}go{% endif %}', 'go'],
  ['{% for m in messages if m.role == "user" %}{{ m.content | trim }}{% endfor %}', messages[1]?.content],
  ['{{ range(3) | join }}{{ range(3, 0, -1) | join }}', '012321'],
  ['{{ strftime_now("%%") }}', '%'],
  ['{% if tools is defined %}tools{% else %}none{% endif %}', 'none'],
])('%s', (template, expected) => {
  expect(renderChatTemplate(template, messages, values)).toBe(expected);
});

test.each([
  ['raises', '{{ raise_exception("roles must alternate") }}', 'roles must alternate'],
  ['does not parse', '{% for %}', ''],
  ['never closes', '{% if true %}', ''],
  ['calls what is not there', '{{ nothing() }}', ''],
  ['makes too much text', `{% set n = namespace(t="xx") %}${'{% set n.t = n.t ~ n.t %}'.repeat(23)}{{ n.t }}`, 'characters'],
  ['asks for a huge range', '{{ range(1000000000) | length }}', 'range()'],
  ['asks for an endless range', '{{ range(0, 5, 0) | length }}', 'range()'],
  ['doubles a text without end', `{% set n = namespace(t="xx") %}${'{% set n.t = n.t ~ n.t %}'.repeat(40)}`, ''],
  ['is enormous', ' '.repeat(1_000_001), '1000001 characters'],
  ['nests too deeply', `{{ ${'('.repeat(50_000)}1 }}`, 'nests too deeply'],
])('a template that %s', (_name, template, reason) => {
  expect(() => renderChatTemplate(template, messages, values)).toThrow(
    expect.objectContaining({ code: 'E_TEMPLATE', message: expect.stringContaining(reason) as string }),
  );
});

test('a template that does not end is stopped', () => {
  const template = `${'{% for a in range(10) %}'.repeat(12)}${'{% endfor %}'.repeat(12)}`;
  expect(() => renderChatTemplate(template, messages, values)).toThrow(/did not finish within/);
});

test('templates reach nothing but their values', () => {
  const probes = ['{{ messages.constructor }}', '{{ raise_exception.constructor("return process")() }}', '{{ "".__proto__ }}'];
  for (const probe of probes) {
    let text = '';
    try {
      text = renderChatTemplate(probe, messages, values);
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_TEMPLATE' });
    }
    expect(text).not.toContain('function');
    expect(text).not.toContain('process');
  }
});

test.each([
  ['%Y-%m-%d', '2024-07-05'],
  ['%d %b %Y', '05 Jul 2024'],
  ['%A, %B %-d', 'Friday, July 5'],
  ['%a %e %I:%M %p %y %H%S %T %F', 'Fri  5 03:04 PM 24 1509 15:04:09 2024-07-05'],
  ['%Q %% %', '%Q % %'],
])('time %s', (format, expected) => {
  expect(formatTime(new Date(2024, 6, 5, 15, 4, 9), format)).toBe(expected);
});
