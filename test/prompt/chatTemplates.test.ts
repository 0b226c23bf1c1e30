/** Real Jinja templates of the kinds that models ship, and plain functions for what they may do to a content. */
import { Template } from '@huggingface/jinja';
import { describe, expect, test } from 'vitest';
import { fitContents } from '../../src/prompt/fitContents.ts';
import { readPrompt, type RenderChat, type RenderedPrompt } from '../../src/prompt/readPrompt.ts';
import { cutting, dropping, moving, partlyShouting, repeating, shouting } from './templates.ts';

const jinja =
  (source: string): RenderChat =>
  (messages) =>
    Promise.resolve(
      new Template(source).render({ messages: [...messages], add_generation_prompt: true, bos_token: '<s>', eos_token: '</s>' }),
    );

const chatml = jinja(
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
);
const llama3 = jinja(
  "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}",
);
const gemma = jinja(
  "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set first = messages[0]['content'] + '\n\n' %}{% set loop_messages = messages[1:] %}{% else %}{% set first = '' %}{% set loop_messages = messages %}{% endif %}{% for message in loop_messages %}{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n' + (first if loop.first else '') + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{{ '<start_of_turn>model\n' }}",
);
const listing = jinja('{% for message in messages %}{{ message | tojson }}\n{% endfor %}');

const document = JSON.stringify([
  { role: 'system', content: '  Be brief. ' },
  { role: 'user', content: 'Who?\n' },
  { role: 'assistant', content: 'Me.' },
  { role: 'user', content: 'Who? "You"' },
]);

async function render(template: RenderChat): Promise<RenderedPrompt> {
  return readPrompt({ text: document, format: 'messages-json', mode: 'auto' }, template);
}

/** What of the prompt is found in the document, run by run. */
function found(prompt: RenderedPrompt): string[] {
  for (const { start, end, documentStart } of prompt.sourceMap) {
    expect(document.slice(documentStart, documentStart + end - start)).toBe(prompt.text.slice(start, end));
  }
  return prompt.sourceMap.map(({ start, end }) => prompt.text.slice(start, end));
}

describe('where contents land', () => {
  test.each([
    ['ChatML', chatml, ['  Be brief. ', 'Who?', 'Me.', 'Who? ', '"You', '"']],
    ['Llama 3 trims', llama3, ['Be brief.', 'Who?', 'Me.', 'Who? ', '"You', '"']],
    ['Gemma merges the system message into the first turn', gemma, ['  Be brief. ', 'Who?', 'Me.', 'Who? ', '"You', '"']],
    ['moved', moving, ['Be brief.', 'Who?', 'Me.', 'Who? ', '"You', '"']],
    ['repeated', repeating, ['  Be brief. ', 'Who?', 'Me.', 'Who? ', '"You', '"', 'Who? ', '"You', '"']],
    ['dropped', dropping, ['Who?', 'Me.', 'Who? ', '"You', '"']],
    ['cut, but here there was nothing to cut', cutting, ['  Be brief. ', 'Who?', 'Me.', 'Who? ', '"You', '"']],
  ])('%s', async (_, template, expected) => {
    const prompt = await render(template);
    expect(prompt.text).toBe(await template(JSON.parse(document) as { role: string; content: string }[]));
    expect(found(prompt)).toEqual(expected);
    expect(prompt.warnings).toEqual([]);
    const author = prompt.templateRanges.reduceRight(
      (text, { start, end }) => text.slice(0, start) + text.slice(end),
      prompt.text,
    );
    expect(author.replace(/\s/gu, '')).not.toMatch(/im_start|INST|start_of_turn|header/u);
  });

  test('a template that writes JSON: what it did not have to escape is found', async () => {
    const prompt = await render(listing);
    expect(found(prompt)).toEqual(['  Be brief. ', 'Me.']);
    expect(prompt.warnings.map((warning) => warning.code)).toEqual(['W_SOURCE_MAP_PARTIAL']);
    expect(prompt.templateRanges).toEqual([]);
  });

  test('rewritten contents have no place', async () => {
    const prompt = await render(shouting);
    expect(prompt.sourceMap).toEqual([]);
    expect(prompt.warnings.map((warning) => warning.code)).toEqual(['W_SOURCE_MAP_PARTIAL']);
  });

  test('where only some are rewritten, the others keep theirs', async () => {
    expect(found(await render(partlyShouting))).toEqual(['  Be brief. ', 'Me.']);
  });
});

describe('fitting contents onto a text', () => {
  const slot = (content: string, message = 0) => ({ message, content });
  test.each([
    ['as it is', '<a>', ['<', '>'], [slot('a')], [[1, 2, 0]]],
    ['trimmed at both sides', '<a>', ['<', '>'], [slot(' a ')], [[1, 2, 1]]],
    ['trimmed at its end', '< a>', ['<', '>'], [slot(' a\n')], [[1, 3, 0]]],
    ['white space of the template beside it', '<a\n>', ['<', '\n>'], [slot('a\n')], [[1, 2, 0]]],
    ['nothing but white space, trimmed away', '<>', ['<', '>'], [slot('  ')], []],
    ['other text', '<b>', ['<', '>'], [slot('a')], null],
    ['text left over', '<a>b', ['<', '>'], [slot('a')], null],
    ['two ways to share white space', 'a b', ['', '', ''], [slot('a '), slot(' b', 1)], null],
  ] as const)('%s', (_, text, template, slots, expected) => {
    const placed = fitContents(text, template, slots);
    expect(placed?.map(({ start, end, skipped }) => [start, end, skipped]) ?? null).toEqual(expected);
  });
});
