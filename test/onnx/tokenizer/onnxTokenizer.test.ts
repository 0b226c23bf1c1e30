import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { EncodeOptions, Tokenizer } from '../../../src/model/model.ts';
import { readModelFolder } from '../../../src/onnx/folder/modelFolder.ts';
import { openOnnxTokenizer } from '../../../src/onnx/tokenizer/onnxTokenizer.ts';
import { hostileText } from '../../llama/tokenizer/hostileText.ts';
import { fixtures } from './tokenizerFixtures.ts';

const folder = await mkdtemp(join(tmpdir(), 'loupe-tokenizer-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
await writeFile(join(folder, 'model.onnx'), 'x');

/** The tokenizer of a fixture, as it is opened beside a model. */
async function open(family: string, files: Partial<Awaited<ReturnType<typeof readModelFolder>>> = {}): Promise<Tokenizer> {
  const found = await readModelFolder(folder);
  return await openOnnxTokenizer({ ...found, tokenizerFile: join(fixtures, family, 'tokenizer.json'), ...files });
}

/** `text[start,end)` of every token; control tokens with a star. */
async function encoded(tokenizer: Tokenizer, text: string, options?: EncodeOptions): Promise<string> {
  const { tokens, approximateOffsets } = await tokenizer.encode(text, options);
  const list = tokens.map((token) => `${token.text}${token.special ? '*' : ''}[${token.start},${token.end})`);
  return `${approximateOffsets ? 'approximate: ' : ''}${list.join(' ')}`;
}

describe('SmolLM2', async () => {
  const tokenizer = await open('smollm2');

  // Ids of llama.cpp and of transformers agree on these.
  const cases = JSON.parse(readFileSync(join(fixtures, 'smollm2/cases.json'), 'utf8')) as Record<string, number[]>;
  test.each(Object.entries(cases))('%j', async (text, ids) => {
    const { tokens } = await tokenizer.encode(text);
    expect(tokens.map(({ id }) => id)).toEqual(ids);
    expect(await tokenizer.decode(ids)).toBe(text);
  });

  test('ids and bytes as llama.cpp has them', async () => {
    interface Golden {
      readonly text: string;
      readonly ids: number[];
      readonly ids_plain: number[] | null;
      readonly byte_offsets: [number, number][];
    }
    const golden = JSON.parse(readFileSync(join(fixtures, '../golden/tokenizer.json'), 'utf8')) as Golden[];
    const bytesBefore = (text: string, unit: number) => Buffer.byteLength(text.slice(0, unit));
    for (const { text, ids, ids_plain: plain, byte_offsets: offsets } of golden) {
      const { tokens } = await tokenizer.encode(text);
      expect(tokens.map(({ id }) => id)).toEqual(ids);
      for (const [index, [start, end]] of offsets.entries()) {
        const token = tokens[index];
        // Byte offsets may lie inside a character, which is then the token's.
        expect(bytesBefore(text, token?.start ?? -1)).toBeLessThanOrEqual(start);
        expect(bytesBefore(text, token?.end ?? -1)).toBeGreaterThanOrEqual(end);
        const inner = new TextDecoder().decode(Buffer.from(text).subarray(start, end));
        if (!inner.includes('\uFFFD')) expect(text.slice(token?.start, token?.end)).toBe(inner);
      }
      if (plain !== null) {
        expect((await tokenizer.encode(text, { parseSpecial: false })).tokens.map(({ id }) => id)).toEqual(plain);
      }
    }
  });
});

// How a word is cut is the vocabulary's; the places are worked out by hand from the rules of docs/tokens-and-offsets.md.
describe('what a token stands for', () => {
  test.each([
    ['gpt2', '😀<|im_start|> the', '\uFFFD[0,2) \uFFFD[0,2) \uFFFD[0,2) \uFFFD[0,2) <|im_start|>*[2,14)  the[14,18)'],
    ['llama3', '', '<s>*[0,0)'],
    ['llama2', 'the', '<s>*[0,0)  t[0,1) he[1,3)'],
    ['llama2', '你', '<s>*[0,0)  [0,0) \uFFFD[0,1) \uFFFD[0,1) \uFFFD[0,1)'],
    // After a control token the marker is inserted again; with `first` it is not.
    ['llama2', '</s>the', '<s>*[0,0) </s>*[0,4)  t[4,5) he[5,7)'],
    ['mistral', '</s>the', '<s>*[0,0) </s>*[0,4) t[4,5) he[5,7)'],
    ['bert_uncased', 'É x\u0000', '[CLS]*[0,0) e[0,1) x[2,3) [SEP]*[4,4)'],
    ['bert_uncased', '𠀀你', '[CLS]*[0,0) [UNK]*[0,2) 你[2,3) [SEP]*[3,3)'],
    ['bert_uncased', 'İstanbul', '[CLS]*[0,0) is[0,2) ##ta[2,4) ##n[4,5) ##b[5,6) ##u[6,7) ##l[7,8) [SEP]*[8,8)'],
    ['bert_cased', 'x  <mask> y', '[CLS]*[0,0) x[0,1) <mask>*[3,9) y[10,11) [SEP]*[11,11)'],
    ['t5', '½', ' 1[0,1) <unk>*[0,1) 2[0,1) </s>*[1,1)'],
  ])('%s: %j', async (family, text, expected) => {
    expect(await encoded(await open(family), text)).toBe(expected);
  });

  test('control tokens stay text when they are not to be recognised', async () => {
    expect(await encoded(await open('gpt2'), '<|im_end|>', { parseSpecial: false })).not.toMatch(/\*/);
  });

  test('nothing is added when it is not wanted', async () => {
    expect(await encoded(await open('bert_uncased'), 'x', { addSpecial: false })).toBe('x[0,1)');
  });

  test('what the native package adds is added', async () => {
    for (const family of ['llama3', 'roberta', 'llama2', 'mistral', 'bert_uncased', 'bert_cased', 't5', 'gpt2']) {
      const { added } = JSON.parse(readFileSync(join(fixtures, family, 'native.json'), 'utf8')) as { added: number[] };
      const { tokens } = await (await open(family)).encode('The capital');
      expect(tokens.map(({ id }) => id)).toEqual(added);
    }
  });

  test('half a surrogate pair is refused', async () => {
    await expect((await open('gpt2')).encode('a\ud800b')).rejects.toMatchObject({ code: 'E_PROMPT_INVALID' });
  });
});

describe('any text', () => {
  const anything = fc.oneof(
    hostileText,
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc
      .array(fc.constantFrom('<mask>', '<tool>', '<whole>', '[SEP]', '[MASK]', ' ', '\n', 'a', 'É', '1', '½'), { maxLength: 12 })
      .map((parts) => parts.join('')),
  );
  const well = anything.map((text) => text.replace(/\p{Surrogate}/gu, ''));

  // Byte-level, SentencePiece and byte-fallback vocabularies change nothing: every character belongs to a token.
  test.each(['gpt2', 'llama3', 'smollm2', 'llama2', 'mistral', 'gemma', 'qwen'])(
    '%s: places are exact, in order, and cover all',
    async (family) => {
      const tokenizer = await open(family);
      await fc.assert(
        fc.asyncProperty(well, fc.boolean(), async (text, parseSpecial) => {
          const { tokens, approximateOffsets } = await tokenizer.encode(text, { addSpecial: false, parseSpecial });
          expect(approximateOffsets).toBe(false);
          let covered = 0;
          for (const { start, end } of tokens) {
            // Spaces before <mask> are swallowed by it.
            if (start > covered) expect(text.slice(covered, start).trim()).toBe('');
            else expect(start).toBeLessThanOrEqual(covered);
            expect(end).toBeGreaterThanOrEqual(start);
            covered = Math.max(covered, end);
          }
          // SmolLM2 has no token for some bytes.
          if (family !== 'smollm2') expect(covered).toBe(text.length);
        }),
        { numRuns: 150, seed: 4 },
      );
    },
  );

  test.each(['bert_uncased', 'bert_cased', 't5', 'xlm_roberta', 'albert', 'roberta', 'without_bytes', 'missing_bytes'])(
    '%s: places are exact, in order and in range',
    async (family) => {
      const tokenizer = await open(family);
      await fc.assert(
        fc.asyncProperty(well, fc.boolean(), async (text, parseSpecial) => {
          const { tokens, approximateOffsets } = await tokenizer.encode(text, { parseSpecial });
          expect(approximateOffsets).toBe(false);
          let previous = 0;
          for (const { start, end } of tokens) {
            expect(start).toBeGreaterThanOrEqual(previous);
            expect(end).toBeGreaterThanOrEqual(start);
            expect(end).toBeLessThanOrEqual(text.length);
            previous = start;
          }
        }),
        { numRuns: 150, seed: 5 },
      );
    },
  );

  test.each(['gpt2', 'llama3', 'gemma'])('%s: decoding gives the text back', async (family) => {
    const tokenizer = await open(family);
    // <mask> swallows the spaces before it, ▁ and a space are one token in SentencePiece.
    const kept = well.filter((text) => !text.includes('<mask>') && !text.includes('▁'));
    await fc.assert(
      fc.asyncProperty(kept, fc.boolean(), async (text, parseSpecial) => {
        const ids = (await tokenizer.encode(text, { addSpecial: false, parseSpecial })).tokens.map(({ id }) => id);
        expect(await tokenizer.decode(ids)).toBe(text);
      }),
      { numRuns: 150, seed: 6 },
    );
  });

  test('the text of plain tokens is what stands in their place', async () => {
    const tokenizer = await open('gpt2');
    await fc.assert(
      fc.asyncProperty(well, async (text) => {
        for (const token of (await tokenizer.encode(text)).tokens) {
          if (!token.text.includes('\uFFFD')) expect(text.slice(token.start, token.end)).toBe(token.text);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });
});

describe('beside the model', () => {
  const messages = [{ role: 'user', content: 'Hi' }];
  const template =
    '{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}>{% endif %}';

  test('the chat template sees the tokens that the files name', async () => {
    const tokenizer = await open('llama2', { chatTemplate: template, bosToken: '<s>', eosToken: '</s>' });
    expect(await tokenizer.renderChat(messages)).toBe('<s><user>Hi</s>>');
    expect(await tokenizer.renderChat(messages, { addGenerationPrompt: false })).toBe('<s><user>Hi</s>');
  });

  test('without names, the ids of the configuration', async () => {
    const configuration = { architecture: 'x', bos: 1, eos: [2, 7] };
    const tokenizer = await open('llama2', { chatTemplate: template, configuration });
    expect(await tokenizer.special()).toEqual({ bos: 1, eos: 2, endOfGeneration: [2, 7], chatTemplate: template });
    expect(await tokenizer.renderChat(messages)).toBe('<s><user>Hi</s>>');
  });

  test('names win over ids, and all end tokens count', async () => {
    const tokenizer = await open('gpt2', {
      bosToken: '<|im_start|>',
      eosToken: '<|im_end|>',
      configuration: { architecture: 'x', bos: 0, eos: [0] },
    });
    expect(await tokenizer.special()).toMatchObject({ bos: 1, eos: 2, endOfGeneration: [0, 2] });
  });

  test('no template', async () => {
    await expect((await open('gpt2')).renderChat(messages)).rejects.toMatchObject({ code: 'E_TEMPLATE_MISSING' });
  });

  test('pieces', async () => {
    const ids = async (tokenizer: Tokenizer, text: string) =>
      (await tokenizer.encode(text, { addSpecial: false })).tokens.map(({ id }) => id);
    const bert = await open('bert_uncased');
    expect(await bert.decode(await ids(bert, 'Unaffordable books!'))).toBe('unaffordable books !');
    const llama = await open('llama2');
    expect(await llama.decode(await ids(llama, 'the 你'))).toBe(' the 你');
    expect(await llama.pieces([-1, 3 + 10, 1_000_000])).toEqual(['', '\n', '']);
  });

  test('no tokenizer.json: ids have a face that is read again, other text is refused', async () => {
    const tokenizer = await openOnnxTokenizer({
      ...(await readModelFolder(folder)),
      configuration: { architecture: 'x', bos: 1, eos: [2] },
    });
    expect(await tokenizer.pieces([1, 17])).toEqual([' <1>', ' <17>']);
    expect(await tokenizer.decode([1, 17])).toBe(' <1> <17>');
    expect(await tokenizer.special()).toEqual({ bos: 1, eos: 2, endOfGeneration: [2], chatTemplate: null });
    // Ids read back what they are written as, so that prompts and targets can be given by them.
    for (const text of [' <1> <17>', '<1><17>', '<1>  <17>']) {
      const { tokens } = await tokenizer.encode(`${text}\n`);
      expect(tokens.map(({ id, special }) => [id, special])).toEqual([
        [1, true],
        [17, false],
      ]);
      expect(tokens.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
      expect(tokens.map((token) => token.text).join('')).toBe(text);
    }
    expect(await tokenizer.encode('')).toEqual({ tokens: [], approximateOffsets: false });
    for (const text of ['a', ' <1> a', 'a <1>', '<01>', '<-1>', '<1', '<12345678901>']) {
      await expect(tokenizer.encode(text), text).rejects.toMatchObject({ code: 'E_TOKENIZER_MISSING' });
    }
    await expect(tokenizer.renderChat(messages)).rejects.toMatchObject({ code: 'E_TEMPLATE_MISSING' });
  });
});
