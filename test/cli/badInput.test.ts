/** Bad models and bad prompts, as a shell user meets them: a code, one line, and nothing on standard output. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli, tinyModel } from './cliProcess.ts';
import { scratchFolder } from './scratchFolder.ts';

const { folder, file } = scratchFolder();
const prompt = file('prompt.txt', 'The cat sat on the mat.');
const good = readFileSync(tinyModel);

/** The tiny model with some bytes changed. */
function altered(name: string, alter: (bytes: Buffer) => Buffer): string {
  return file(name, alter(Buffer.from(good)));
}

/** GGUF: magic 4 bytes, version u32, tensor count u64, metadata count u64. */
const count = (at: number) => (bytes: Buffer) => {
  bytes.writeBigUInt64LE(1n << 60n, at);
  return bytes;
};

async function refused(argv: readonly string[], code: number, message: RegExp, stdin?: string | Buffer) {
  const result = await runCli(argv, stdin === undefined ? {} : { stdin });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^E_[A-Z_]+: [^\n]+; [^\n]+; [^\n]+\n$/);
  expect(result).toMatchObject({ code, stdout: '' });
}

describe('models: exit code 4', () => {
  test.each<[string, () => string, RegExp]>([
    ['missing', () => path.join(folder, 'none.gguf'), /^E_MODEL_NOT_FOUND/],
    ['empty', () => file('empty.gguf', ''), /^E_MODEL_/],
    ['a folder with no ONNX model', () => folder, /^E_MODEL_FOLDER/],
    ['truncated in the header', () => altered('header.gguf', (bytes) => bytes.subarray(0, 100)), /^E_MODEL_/],
    ['truncated in the weights', () => altered('weights.gguf', (bytes) => bytes.subarray(0, bytes.length - 5000)), /^E_MODEL_/],
    ['wrong magic', () => altered('magic.gguf', (bytes) => (bytes.write('GGML'), bytes)), /^E_MODEL_UNSUPPORTED/],
    ['a huge number of tensors', () => altered('tensors.gguf', count(8)), /^E_MODEL_/],
    ['a huge number of entries', () => altered('entries.gguf', count(16)), /^E_MODEL_/],
    ['garbage after the magic', () => altered('garbage.gguf', (bytes) => bytes.fill(0xa5, 4, 2000)), /^E_MODEL_/],
    ['an unknown architecture', () => altered('arch.gguf', renamed), /^E_MODEL_UNSUPPORTED/],
    ['text', () => prompt, /^E_MODEL_UNSUPPORTED/],
    ['NaN weights', () => altered('nan.gguf', (bytes) => (bytes.fill(0xff, bytes.length - 4096), bytes)), /^E_NUMERIC/],
  ])('%s', async (_, model, message) => {
    await refused(['explain', prompt, '--max-tokens', '2', '--threads', '1', '--json', '--model', model()], 4, message);
  });

  test('models inspect says the same', async () => {
    await refused(['models', 'inspect', path.join(folder, 'none.gguf')], 4, /^E_MODEL_NOT_FOUND/);
    await refused(['models', 'inspect', file('cut.gguf', good.subarray(0, 300))], 4, /^E_MODEL_/);
  });
});

/** Same length, so that every offset in the file stays right. */
function renamed(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf('llama'); at >= 0 && at < 100_000; at = bytes.indexOf('llama', at + 1)) bytes.write('lloma', at);
  return bytes;
}

describe('prompts, targets and names: exit code 3', () => {
  const yaml = 'name: x\nmessages:\n  - role: user\n    content: [unclosed\n';
  const withVariable = 'name: x\nmessages:\n  - role: user\n    content: Hello {{name}}\n';
  test.each<[string, string[], RegExp, (string | Buffer)?]>([
    ['empty standard input', ['-'], /^E_PROMPT_EMPTY/, ''],
    ['empty file', [file('empty.txt', '')], /^E_PROMPT_EMPTY/],
    ['spaces', ['-'], /^E_PROMPT_BLANK/, '   \n\t  '],
    ['100,000 characters', ['-'], /^E_CONTEXT_OVERFLOW.*\d{3,} tokens.*256/, 'word and '.repeat(12_500)],
    ['binary', ['-'], /^E_PROMPT_(BINARY|NOT_TEXT)/, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1, 2, 0xff])],
    ['zero bytes', ['-'], /^E_PROMPT_BINARY/, 'a\0b\0c\0d\0'],
    ['invalid YAML', [file('bad.prompt.yml', yaml)], /^E_PROMPT_YAML.*line \d+, column \d+/],
    ['invalid JSON', [file('bad.json', '[{"role": "user", content}]')], /^E_PROMPT_JSON.*line 1/],
    ['a variable without value', [file('var.prompt.yml', withVariable)], /^E_VARIABLE_MISSING.*\{\{name\}\}.*--var/],
    ['a target text of no token', [prompt, '--target', 'text:'], /^E_TARGET_EMPTY/],
    ['a token id outside', [prompt, '--target', 'id:99999'], /^E_TARGET_RANGE/],
    ['a span outside', [prompt, '--target', 'span:5-9'], /^E_TARGET_RANGE/],
    ['an unknown method', [prompt, '--method', 'guesswork'], /^E_METHOD_UNKNOWN.*occlusion/],
    ['an unknown parameter', [prompt, '--method-option', 'colour=red'], /^E_PARAMETER/],
    ['a precision no method has', [prompt, '--method-option', 'precision=fp16'], /^E_PARAMETER.*as-served, dequantised/],
    ['precision without a gradient', [prompt, '--method', 'occlusion', '--precision', 'dequantised'], /^E_PARAMETER/],
    ['half a step', [prompt, '--method', 'integrated-gradients', '--method-option', 'steps=2.5'], /^E_PARAMETER.*whole/],
    ['a prompt id outside', ['--ids', '5,999999'], /^E_/],
  ])('explain: %s', async (_, argv, message, stdin) => {
    await refused(['explain', ...argv, '--max-tokens', '2', '--threads', '1', '--model', tinyModel], 3, message, stdin);
  });

  test.each<[string[], RegExp]>([
    [['attention', prompt, '--layer', '99', '--head', '0'], /^E_LAYER_RANGE/],
    [['attention', prompt, '--layer', '0', '--head', '99'], /^E_HEAD_RANGE/],
    [['capture', prompt, '--sites', 'soul', '--out', path.join(folder, 'x.safetensors')], /^E_SITE_UNKNOWN/],
    [
      ['capture', prompt, '--sites', 'logits', '--gradients', '--out', path.join(folder, 'x.safetensors')],
      /^E_SITE_UNKNOWN.*grad\.logits/,
    ],
    [
      ['capture', prompt, '--sites', 'embed', '--gradients', '--target', 'id:99999', '--out', path.join(folder, 'x.safetensors')],
      /^E_TARGET_RANGE/,
    ],
    [['attention', prompt, '--layer', '0', '--head', '0', '--gradient', '--target', 'span:90'], /^E_TARGET_RANGE/],
    [['capture', prompt, '--sites', 'resid_post.77', '--out', path.join(folder, 'x.safetensors')], /^E_LAYER_RANGE/],
  ])('%j', async (argv, message) => {
    await refused([...argv, '--threads', '1', '--model', tinyModel], 3, message);
  });

  test('--verbose adds the stack after the line', async () => {
    const { stderr } = await runCli(['explain', '-', '--verbose', '--threads', '1', '--model', tinyModel], { stdin: '' });
    expect(stderr).toMatch(/E_PROMPT_EMPTY: [^\n]+\n[\s\S]*\n {4}at /);
  });
});
