/** Document → prompt → tokens → document is the identity wherever text survives rendering. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Document, parse, parseDocument, Scalar } from 'yaml';
import { readPrompt, type RenderedPrompt } from '../../src/prompt/readPrompt.ts';
import type { PromptFormat, PromptSource } from '../../src/shared/protocol/engine.ts';
import type { Section } from '../../src/shared/tokens.ts';
import { promptText } from './hostileText.ts';
import { cutting, dropping, exact, moving, partlyShouting, repeating, shouting, trimming } from './templates.ts';

const templates = [exact, trimming, moving, repeating, dropping, shouting, partlyShouting, cutting];
const roles = fc.constantFrom('system', 'user', 'assistant');

/** What holds of every rendered prompt, whatever the document. */
function checkPrompt(prompt: RenderedPrompt, document: string): void {
  let at = 0;
  for (const { start, end, documentStart } of prompt.sourceMap) {
    expect(start).toBeGreaterThanOrEqual(at);
    expect(end).toBeGreaterThan(start);
    expect(document.slice(documentStart, documentStart + end - start)).toBe(prompt.text.slice(start, end));
    at = end;
  }
  expect(at).toBeLessThanOrEqual(prompt.text.length);
  at = 0;
  for (const { start, end } of prompt.templateRanges) {
    expect(start).toBeGreaterThanOrEqual(at);
    expect(end).toBeGreaterThan(start);
    at = end;
  }
  expect(at).toBeLessThanOrEqual(prompt.text.length);
  for (const segment of prompt.sourceMap) {
    expect(prompt.templateRanges.every((range) => range.end <= segment.start || segment.end <= range.start)).toBe(true);
  }
  checkSections(prompt.sections, prompt.text.length);
}

function checkSections(sections: readonly Section[], length: number): void {
  for (const { start, end } of sections) {
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeGreaterThan(start);
    expect(end).toBeLessThanOrEqual(length);
  }
}

function mappedLength(prompt: RenderedPrompt): number {
  return prompt.sourceMap.reduce((sum, { start, end }) => sum + end - start, 0);
}

function source(text: string, format: PromptFormat, mode: PromptSource['mode'] = 'auto'): PromptSource {
  return { text, format, mode };
}

describe('text', () => {
  test.each(['text', 'markdown'] as const)('%s: raw is the document, mapped whole', async (format) => {
    await fc.assert(
      fc.asyncProperty(promptText, async (text) => {
        const prompt = await readPrompt(source(text, format), null);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(format === 'text' ? text : text.replace(/(?:\r\n|\r|\n)$/u, ''));
        expect(prompt.sourceMap).toEqual([{ start: 0, end: prompt.text.length, documentStart: 0 }]);
      }),
      { numRuns: 200 },
    );
  });

  test('a selection is exactly the selected text', async () => {
    await fc.assert(
      fc.asyncProperty(promptText, promptText, promptText, async (before, selected, after) => {
        const text = before + selected + after;
        const selection = { start: before.length, end: before.length + selected.length };
        const prompt = await readPrompt({ ...source(text, 'markdown'), selection }, null);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(selected);
        expect(prompt.sourceMap).toEqual([{ start: 0, end: selected.length, documentStart: before.length }]);
      }),
    );
  });

  test('in a chat it is one user message, found in the rendering', async () => {
    await fc.assert(
      fc.asyncProperty(promptText, async (text) => {
        const prompt = await readPrompt(source(text, 'text', 'chat'), trimming);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(`<|im_start|>user\n${text.trim()}<|im_end|>\n<|im_start|>assistant\n`);
        expect(mappedLength(prompt)).toBe(text.trim().length);
      }),
    );
  });

  test('tokens cut anywhere find their way back', async () => {
    await fc.assert(
      fc.asyncProperty(promptText, fc.array(fc.nat(200)), async (text, cuts) => {
        const prompt = await readPrompt(source(text, 'text', 'chat'), exact);
        const borders = [...new Set([0, ...cuts.map((cut) => cut % prompt.text.length), prompt.text.length])].sort(
          (a, b) => a - b,
        );
        borders.slice(1).forEach((end, i) => {
          const start = borders[i] ?? 0;
          for (const segment of prompt.sourceMap) {
            const from = Math.max(start, segment.start);
            const to = Math.min(end, segment.end);
            if (from >= to) continue;
            const there = segment.documentStart + from - segment.start;
            expect(text.slice(there, there + to - from)).toBe(prompt.text.slice(from, to));
          }
        });
      }),
    );
  });
});

const messages = fc.array(fc.record({ role: roles, content: promptText }), { minLength: 1, maxLength: 4 });

describe('JSON', () => {
  /** Every UTF-16 unit may be written as an escape. */
  const escaped = (text: string, seed: number): string =>
    JSON.stringify(text).replace(/(?<!\\)[a-z\u0080-\uffff]/gu, (character, at: number) =>
      (at + seed) % 3 === 0
        ? Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
            '',
          )
        : character,
    );

  test('contents as they are, all mapped but escapes', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.nat(2), fc.boolean(), async (list, indent, wrapped) => {
        const text = JSON.stringify(wrapped ? { model: 'x', messages: list } : list, null, indent);
        const prompt = await readPrompt(source(text, 'messages-json'), exact);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(await exact(list));
        const escapes = list
          .flatMap(({ content }) => [...JSON.stringify(content).matchAll(/\\(.)/gu)])
          .filter((escape) => /[bfnrtu]/u.test(escape[1] ?? '')).length;
        const plain = list.reduce((sum, { content }) => sum + content.length, 0);
        expect(mappedLength(prompt)).toBe(plain - escapes);
      }),
      { numRuns: 200 },
    );
  });

  test('with \\u escapes anywhere, and a CRLF document', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.nat(2), async (list, seed) => {
        const text = `[\r\n${list.map(({ role, content }) => `{"role": "${role}",\r\n "content": ${escaped(content, seed)}}`).join(',\r\n')}\r\n]`;
        const prompt = await readPrompt(source(text, 'messages-json'), exact);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(await exact(list));
      }),
      { numRuns: 200 },
    );
  });

  test('text parts are joined', async () => {
    const text =
      '[{"role":"user","content":[{"type":"text","text":"a\\u0062"},"c",{"type":"image_url","image_url":{"url":"x"}}]}]';
    const prompt = await readPrompt(source(text, 'messages-json', 'raw'), null);
    checkPrompt(prompt, text);
    expect(prompt.text).toBe('abc');
    expect(prompt.warnings.map((warning) => warning.code)).toEqual(['W_CONTENT_PART_SKIPPED']);
  });
});

describe('.prompt.yml', () => {
  const styles = ['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'] as const;
  /** Braces would ask for variables; they have their own test. */
  const noVariables = promptText.map((text) => text.replace(/\{\{+/gu, '{ ')).filter((text) => text.trim() !== '');

  test.each(styles)('%s: the value the parser reads, every segment in its place', async (style) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(noVariables, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.constantFrom(0, 30, 80),
        async (contents, crlf, lineWidth) => {
          const document = new Document({
            messages: contents.map((content) => {
              const scalar = new Scalar(content);
              scalar.type = style;
              return { role: 'user', content: scalar };
            }),
          });
          const written = document.toString({ lineWidth });
          const text = crlf ? written.replace(/\r?\n/gu, '\r\n') : written;
          // The writer sometimes cuts a surrogate pair when it wraps a line, or writes a plain scalar that is none.
          fc.pre(!/\p{Surrogate}/u.test(text) && parseDocument(text).errors.length === 0);
          const prompt = await readPrompt(source(text, 'prompt-yml'), exact);
          checkPrompt(prompt, text);
          const { messages: read } = parse(text) as { messages: { role: string; content: string }[] };
          expect(prompt.text).toBe(await exact(read));
          // Something of every content is found: a scalar read otherwise than the parser reads it would have no map at all.
          const mapped = prompt.sections.filter((section) => section.kind === 'message');
          for (const { start, end } of mapped) {
            const visible = prompt.text.slice(start, end).replace(/[\s\p{C}\u00a0"'\\]/gu, '');
            if (visible !== '') expect(prompt.sourceMap.some((segment) => segment.start < end && start < segment.end)).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  const line = fc
    .tuple(
      fc.constantFrom('', '', '  ', '\t', '    '),
      fc.constantFrom('word', 'a: b', '- x', '# no comment', '🙂 e\u0301', '中文。', '', '"q"'),
    )
    .map(([indent, text]) => (text === '' ? '' : indent + text));
  const lines = fc.array(line, { minLength: 1, maxLength: 8 }).filter((all) => /^\S/u.test(all.find((one) => one !== '') ?? ''));

  test('a literal block written by hand: all of it mapped, LF and CRLF', async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.constantFrom('\n', '\r\n'), fc.constantFrom('|', '|-', '|+'), async (all, end, header) => {
        const body = all.map((one) => (one === '' ? '' : `      ${one}`));
        const text = ['messages:', '  - role: user', `    content: ${header}`, ...body, 'model: x', ''].join(end);
        const prompt = await readPrompt(source(text, 'prompt-yml', 'raw'), null);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(all.join('\n').trimEnd());
        expect(mappedLength(prompt)).toBe(prompt.text.length);
      }),
      { numRuns: 200 },
    );
  });

  test('a folded block written by hand: all of it mapped but the folds', async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.constantFrom('\n', '\r\n'), fc.constantFrom('>', '>-', '>+'), async (all, end, header) => {
        const body = all.map((one) => (one === '' ? '' : `      ${one}`));
        const text = ['messages:', '  - role: user', `    content: ${header}`, ...body, 'model: x', ''].join(end);
        const prompt = await readPrompt(source(text, 'prompt-yml', 'raw'), null);
        checkPrompt(prompt, text);
        const letters = all.join('').replace(/\s/gu, '').length;
        const mapped = prompt.sourceMap.map(({ start, end: stop }) => prompt.text.slice(start, stop)).join('');
        expect(mapped.replace(/\s/gu, '').length).toBe(letters);
      }),
      { numRuns: 200 },
    );
  });

  test('values of variables map to the test data, given ones to nothing', async () => {
    await fc.assert(
      fc.asyncProperty(promptText, promptText, promptText, async (before, value, given) => {
        const clean = before.replaceAll(/[{}]/gu, '(');
        const document = new Document({
          messages: [{ role: 'user', content: `${clean}{{value}}-{{ given }}-{{value}}` }],
          testData: [{ value, other: 'x' }, { value: 'second row' }],
        });
        const text = document.toString();
        const prompt = await readPrompt({ ...source(text, 'prompt-yml'), variables: { given } }, exact);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(await exact([{ role: 'user', content: `${clean}${value}-${given}-${value}` }]));
        const labels = prompt.sections.filter((section) => section.kind === 'variable').map((section) => section.label);
        expect(labels.filter((label) => label === 'value').length).toBeGreaterThanOrEqual(2);
        const place = prompt.sections.find((section) => section.label === 'given');
        if (place !== undefined)
          expect(prompt.sourceMap.some((segment) => segment.start < place.end && place.start < segment.end)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});

describe('chat templates', () => {
  test('trim, move, repeat, drop, rewrite: never a wrong place', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.constantFrom(...templates), async (list, template) => {
        const text = JSON.stringify(list);
        const expected = await template(list);
        if (expected.trim() === '') return;
        const prompt = await readPrompt(source(text, 'messages-json'), template);
        checkPrompt(prompt, text);
        expect(prompt.text).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});
