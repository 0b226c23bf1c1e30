import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { readModelFolder } from '../../../src/onnx/folder/modelFolder.ts';

const root = await mkdtemp(join(tmpdir(), 'loupe-folder-'));
afterAll(() => rm(root, { recursive: true, force: true }));
let folder = root;
let count = 0;
beforeEach(async () => {
  folder = join(root, `model ${count++}`);
  await mkdir(folder);
});

/** Writes files (objects as JSON) under the folder of this test. */
async function write(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  vocab_size: 320,
  max_position_embeddings: 256,
  bos_token_id: 1,
  eos_token_id: [2, 7],
};

describe('layouts', () => {
  test('optimum: everything beside the model', async () => {
    await write({
      'model.onnx': 'x',
      'config.json': llama,
      'tokenizer.json': '{}',
      'tokenizer_config.json': { bos_token: '<s>', eos_token: { content: '</s>', lstrip: false }, chat_template: 'T' },
      'generation_config.json': { eos_token_id: 9 },
    });
    const expected = {
      onnxFile: join(folder, 'model.onnx'),
      configuration: {
        architecture: 'LlamaForCausalLM',
        modelType: 'llama',
        hiddenSize: 64,
        heads: 4,
        kvHeads: 2,
        layers: 2,
        vocabulary: 320,
        contextLength: 256,
        eos: [2, 7, 9],
        bos: 1,
      },
      tokenizerFile: join(folder, 'tokenizer.json'),
      chatTemplate: 'T',
      bosToken: '<s>',
      eosToken: '</s>',
      notes: [],
    };
    expect(await readModelFolder(folder)).toEqual(expected);
    expect(await readModelFolder(join(folder, 'model.onnx'))).toEqual(expected);
  });

  test('transformers.js: the model in onnx/, the rest one folder up', async () => {
    await write({ 'onnx/model.onnx': 'x', 'onnx/model_q4.onnx': 'x', 'config.json': llama, 'tokenizer.json': '{}' });
    const quantised = await readModelFolder(join(folder, 'onnx/model_q4.onnx'));
    expect(quantised).toMatchObject({
      onnxFile: join(folder, 'onnx/model_q4.onnx'),
      tokenizerFile: join(folder, 'tokenizer.json'),
      configuration: { hiddenSize: 64 },
      notes: [],
    });
    const chosen = await readModelFolder(folder);
    expect(chosen.onnxFile).toBe(join(folder, 'onnx/model.onnx'));
    expect(chosen.notes).toEqual([`the folder also holds ${join('onnx', 'model_q4.onnx')}`]);
  });

  test('genai: the fixture of the int4 export', async () => {
    await write({ 'model.onnx': 'x', 'other.onnx': 'x' });
    await cp(join(import.meta.dirname, '../../fixtures/onnx-tokenizers/genai_config.json'), join(folder, 'genai_config.json'));
    expect(await readModelFolder(folder)).toMatchObject({
      onnxFile: join(folder, 'model.onnx'),
      configuration: {
        architecture: 'llama',
        hiddenSize: 64,
        headSize: 16,
        heads: 4,
        kvHeads: 2,
        layers: 2,
        vocabulary: 320,
        contextLength: 256,
        eos: [0],
        bos: 0,
      },
    });
  });

  test('genai: the named file and lists of end tokens', async () => {
    await write({
      'decoder/text.onnx': 'x',
      'a.onnx': 'x',
      'genai_config.json': { model: { eos_token_id: [5, 3, -1], decoder: { filename: 'decoder/text.onnx' } } },
    });
    const { onnxFile, configuration } = await readModelFolder(folder);
    expect([onnxFile, configuration.eos]).toEqual([join(folder, 'decoder/text.onnx'), [3, 5]]);
  });

  test('a cache of downloads, where files are links to blobs', async () => {
    await write({ 'blobs/1': 'x', 'blobs/2': llama, 'snapshots/a/readme': '' });
    await mkdir(join(folder, 'snapshots/a/onnx'));
    await symlink(join(folder, 'blobs/1'), join(folder, 'snapshots/a/onnx/model.onnx'));
    await symlink('../../blobs/2', join(folder, 'snapshots/a/config.json'));
    const { configuration } = await readModelFolder(join(folder, 'snapshots/a/onnx/model.onnx'));
    expect(configuration.layers).toBe(2);
  });

  test('only a folder called onnx looks one folder up', async () => {
    await write({ 'exports/model.onnx': 'x', 'config.json': llama, 'tokenizer.json': '{}' });
    const { tokenizerFile, configuration, notes } = await readModelFolder(join(folder, 'exports'));
    expect([tokenizerFile, configuration.architecture, notes.length]).toEqual([null, 'unknown', 2]);
  });
});

describe('configuration', () => {
  test.each([
    ['GPT-2', { n_embd: 8, n_head: 2, n_layer: 3, n_positions: 64 }, { hiddenSize: 8, heads: 2, layers: 3, contextLength: 64 }],
    [
      'a model that also sees',
      { architectures: ['Gemma3'], text_config: { hidden_size: 8, head_dim: 4, eos_token_id: 1 }, eos_token_id: [1, 106] },
      { hiddenSize: 8, headSize: 4, eos: [1, 106] },
    ],
    ['a classifier', { id2label: { 0: 'bad', 1: 'good' } }, { labels: ['bad', 'good'] }],
    ['labels with a gap are none', { id2label: { 0: 'bad', 2: 'good' } }, { architecture: 'unknown' }],
    ['null is absent', { hidden_size: null, eos_token_id: null, bos_token_id: null }, { eos: [], bos: null }],
  ])('%s', async (_, config, expected) => {
    await write({ 'model.onnx': 'x', 'config.json': config });
    const { configuration } = await readModelFolder(folder);
    expect(configuration).toMatchObject(expected);
    expect('labels' in configuration).toBe('labels' in expected);
  });

  test.each([
    [
      'the file of its own before all others',
      { 'chat_template.jinja': 'J', 'tokenizer_config.json': { chat_template: 'T' } },
      'J',
    ],
    [
      'of a list the default',
      {
        'tokenizer_config.json': {
          chat_template: [
            { name: 'tool_use', template: 'A' },
            { name: 'default', template: 'B' },
          ],
        },
      },
      'B',
    ],
    ['of a list without one the first', { 'tokenizer_config.json': { chat_template: [{ name: 'rag', template: 'A' }] } }, 'A'],
    ['chat_template.json', { 'chat_template.json': { chat_template: 'C' } }, 'C'],
    ['none', { 'tokenizer_config.json': {} }, null],
  ])('chat template: %s', async (_, files, expected) => {
    await write({ 'model.onnx': 'x', ...files });
    expect((await readModelFolder(folder)).chatTemplate).toBe(expected);
  });

  test('special_tokens_map.json names tokens that tokenizer_config.json does not', async () => {
    await write({
      'model.onnx': 'x',
      'tokenizer_config.json': { bos_token: '<a>' },
      'special_tokens_map.json': { bos_token: '<b>', eos_token: { content: '<c>' } },
    });
    expect(await readModelFolder(folder)).toMatchObject({ bosToken: '<a>', eosToken: '<c>' });
  });
});

describe('refusals', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string, RegExp]>([
    ['no model', { 'config.json': llama }, 'E_MODEL_FOLDER', /holds no \.onnx file/],
    ['several models', { 'a.onnx': 'x', 'b.onnx': 'x' }, 'E_MODEL_FOLDER', /several models: a\.onnx, b\.onnx/],
    ['no JSON', { 'model.onnx': 'x', 'config.json': '{"secret' }, 'E_MODEL_FOLDER', /config\.json is not JSON/],
    ['a wrong field', { 'model.onnx': 'x', 'config.json': { hidden_size: '64' } }, 'E_MODEL_FOLDER', /config\.json: hidden_size/],
    [
      'an absurd count',
      { 'model.onnx': 'x', 'config.json': { num_hidden_layers: 1e300 } },
      'E_MODEL_FOLDER',
      /num_hidden_layers/,
    ],
    ['a list for an object', { 'model.onnx': 'x', 'tokenizer_config.json': [] }, 'E_MODEL_FOLDER', /tokenizer_config\.json/],
    ['a file that is too big', { 'model.onnx': 'x', 'config.json': ' '.repeat(16_000_001) }, 'E_MODEL_FOLDER', /16000001 bytes/],
    [
      'genai names a file that is not there',
      { 'genai_config.json': { model: { decoder: { filename: 'a.onnx' } } } },
      'E_MODEL_FOLDER',
      /not there/,
    ],
    [
      'genai leaves the folder',
      { 'genai_config.json': { model: { decoder: { filename: '../a.onnx' } } } },
      'E_MODEL_FOLDER',
      /outside/,
    ],
    [
      'genai leaves it in the end',
      { 'genai_config.json': { model: { decoder: { filename: 'a/../../b.onnx' } } } },
      'E_MODEL_FOLDER',
      /outside/,
    ],
    [
      'genai names an absolute path',
      { 'genai_config.json': { model: { decoder: { filename: '/etc/hostname' } } } },
      'E_MODEL_FOLDER',
      /outside/,
    ],
    [
      'genai names a path with a zero',
      { 'genai_config.json': { model: { decoder: { filename: 'a\0.onnx' } } } },
      'E_MODEL_FOLDER',
      /outside/,
    ],
  ])('%s', async (_, files, code, reason) => {
    await write(files);
    const failure = await readModelFolder(folder).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toMatch(reason);
    expect(String(failure)).not.toMatch(/secret/);
  });

  test('a path that is not there', async () => {
    await expect(readModelFolder(join(folder, 'no.onnx'))).rejects.toMatchObject({ code: 'E_MODEL_NOT_FOUND' });
    await write({ file: 'x' });
    await expect(readModelFolder(join(folder, 'file/model.onnx'))).rejects.toMatchObject({ code: 'E_MODEL_NOT_FOUND' });
  });

  test('a device for a model, a folder for a configuration', async () => {
    await expect(readModelFolder('/dev/null')).rejects.toMatchObject({ code: 'E_MODEL_UNREADABLE' });
    await write({ 'model.onnx': 'x', 'config.json/file': 'x' });
    await expect(readModelFolder(folder)).rejects.toMatchObject({ code: 'E_MODEL_FOLDER' });
    // Where it lies is nobody's business when the message is passed on.
    const refusal = await readModelFolder(folder).catch((error: unknown) => String(error));
    expect(refusal).not.toContain(folder);
  });

  test('any JSON is read or refused with a code', async () => {
    await write({ 'model.onnx': 'x' });
    const file = fc.constantFrom('config.json', 'genai_config.json', 'tokenizer_config.json', 'special_tokens_map.json');
    const key = fc.constantFrom(
      'model',
      'decoder',
      'filename',
      'id2label',
      'chat_template',
      'eos_token_id',
      'architectures',
      '__proto__',
      'hidden_size',
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.dictionary(key, tie('any'), { maxKeys: 4 })),
    })).any;
    await fc.assert(
      fc.asyncProperty(file, value, async (name, content) => {
        await write({ [name]: JSON.stringify(content) });
        const result = await readModelFolder(folder).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toMatchObject({ code: 'E_MODEL_FOLDER' });
        await rm(join(folder, name));
      }),
      { numRuns: 200, seed: 6 },
    );
  });
});
