/** What is refused before a model is opened: arguments, prompt files, destinations. */
import { tools } from '../../src/analysis/tools/registry.ts';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli, tinyModel } from './cliProcess.ts';
import { runInPlace } from './runInPlace.ts';
import { scratchFolder } from './scratchFolder.ts';

const { folder, file } = scratchFolder();
const prompt = file('prompt.txt', 'The capital of France is');

/** Root may read everything; a process's own memory then stands in for a file that cannot be read. */
function unreadable(): string {
  if (process.platform === 'linux' && process.getuid?.() === 0) return '/proc/self/mem';
  const locked = file('locked.txt', 'secret');
  chmodSync(locked, 0);
  return locked;
}

const oneLine = /^E_[A-Z_]+: [^\n]+; [^\n]+; [^\n]+\n$/;

async function refused(argv: readonly string[], code: number, message: RegExp) {
  const result = await runInPlace(argv);
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(oneLine);
  expect(result).toMatchObject({ code, stdout: '' });
}

describe('usage errors: exit code 2', () => {
  test.each<[string[], RegExp]>([
    [['evaluate', prompt], /required option/],
    [['appraise', prompt], /unknown command/],
    [['check', prompt], /unknown command/],
    [['audit', prompt], /unknown command/],
    [['explain'], /there is no prompt/],
    [['explain', prompt, 'second'], /too many arguments/],
    [['explain', prompt, '--ids', '1,2'], /FILE and --ids exclude each other/],
    [['explain', prompt, '--raw', '--chat'], /'--raw' cannot be used with option '--chat'/],
    [['explain', '--ids', '1,x'], /'--ids <list>'/],
    [['explain', '--ids', ''], /'--ids <list>'/],
    [['explain', prompt, '--threads', 'many'], /'--threads <n>'/],
    [['explain', prompt, '--threads', '-1'], /'--threads <n>'/],
    [['explain', prompt, '--seed', '1.5'], /'--seed <n>'/],
    [['explain', prompt, '--max-tokens', '0'], /'--max-tokens <n>'/],
    [['explain', prompt, '--units', 'letter'], /'--units <kind>'.*token, word, sentence/],
    [['explain', prompt, '--score', 'nats'], /'--score <kind>'/],
    [['explain', prompt, '--var', 'novalue'], /'--var <name=value>'/],
    [['explain', prompt, '--frobnicate'], /unknown option '--frobnicate'/],
    [['explain', prompt, '--model'], /'--model <path>' argument missing/],
    [['explain', prompt, '--csv', 'x.out', '--svg', 'x.out'], /same file/],
    [['generate', prompt, '--temperature', 'hot'], /'--temperature <x>'/],
    [['attention', prompt, '--head', '0'], /'--layer <n>' not specified/],
    [['attention', prompt, '--layer', '0'], /'--head <n>' not specified/],
    [['capture', prompt, '--out', 'x.safetensors'], /'--sites <list>' not specified/],
    [['capture', prompt, '--sites', 'embed'], /'--out <file>' not specified/],
    [['capture', prompt, '--sites', ',', '--out', 'x'], /'--sites <list>'/],
    [['explain', prompt, '--precision', 'fp16'], /'--precision <kind>'.*as-served, dequantised/],
    [['explain', prompt, '--gradient-memory', 'lots'], /'--gradient-memory <mb>'/],
    [['explain', prompt, '--weight-memory', '-1'], /'--weight-memory <mb>'/],
    [['attention', prompt, '--layer', '0', '--head', '0', '--target', 'next'], /--target means nothing without --gradient/],
    [
      ['capture', prompt, '--sites', 'embed', '--out', 'x', '--max-tokens', '3'],
      /--max-tokens means nothing without --gradients/,
    ],
    [['capture', prompt, '--sites', 'embed', '--out', 'x', '--precision', 'as-served'], /--precision means nothing without/],
    [['capture', prompt, '--sites', 'embed', '--out', 'x', '--gradients', '--score', 'nats'], /'--score <kind>'/],
    [['logprobs', prompt, '--top', 'all'], /'--top <k>'/],
    [['logprobs', '--ids', '1', '--model', tinyModel, '--provider', 'webgpu'], /--provider means nothing for a GGUF file/],
    [['explain', prompt, '--model', tinyModel, '--provider', 'cpu'], /--provider means nothing for a GGUF file/],
    [
      ['heads', prompt, '--model', 'http://127.0.0.1:1', '--provider', 'cuda'],
      /--provider means nothing for a model on a server/,
    ],
    [['models', 'inspect'], /missing required argument 'PATH'/],
    [['models', 'forget'], /too many arguments|unknown command/],
  ])('%j', async (argv, message) => {
    await refused(argv, 2, message);
  });

  test('no verb: the help, then the error', async () => {
    const { code, stdout, stderr } = await runInPlace([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/Usage: prompt-loupe[\s\S]+E_USAGE: no verb was given; [^\n]+\n$/);
  });
});

describe('bad prompts and targets: exit code 3', () => {
  test.each<[string, string[], RegExp]>([
    ['missing', [path.join(folder, 'nowhere.txt')], /^E_PROMPT_NOT_FOUND/],
    ['below a file', [path.join(prompt, 'inside.txt')], /^E_PROMPT_NOT_FOUND/],
    ['a directory', [folder], /^E_PROMPT_UNREADABLE.*directory/],
    ['unreadable', [unreadable()], /^E_PROMPT_UNREADABLE/],
    ['invalid UTF-8', [file('latin1.txt', Buffer.from('caf\u00e9', 'latin1'))], /^E_PROMPT_NOT_TEXT.*UTF-8/],
    ['17 MB', [file('huge.txt', Buffer.alloc(17 * 2 ** 20, 'a'))], /^E_PROMPT_TOO_LARGE/],
    ['target without a kind', [prompt, '--target', 'Paris'], /^E_TARGET_INVALID/],
    ['empty contrast', [prompt, '--target', 'contrast:a'], /^E_TARGET_INVALID/],
    ['result into a directory', [prompt, '--html', folder], /^E_OUTPUT_UNWRITABLE.*directory/],
    ['result into no folder', [prompt, '--csv', path.join(folder, 'no', 'x.csv')], /^E_OUTPUT_UNWRITABLE.*no folder/],
  ])('%s', async (_, argv, message) => {
    await refused(['explain', ...argv, '--model', tinyModel], 3, message);
  });

  test('a file name with an escape sequence cannot reach the terminal', async () => {
    await refused(['explain', path.join(folder, '\u001b]0;x\u0007.txt')], 3, /␛\]0;x␇/);
  });

  test('capture into a directory', async () => {
    await refused(['capture', prompt, '--sites', 'embed', '--out', folder, '--model', tinyModel], 3, /^E_OUTPUT_UNWRITABLE/);
  });

  test.runIf(process.platform !== 'win32')('a device is not replaced by a result', async () => {
    await refused(['explain', prompt, '--csv', '/dev/null', '--model', tinyModel], 3, /^E_OUTPUT_UNWRITABLE.*device/);
  });
});

describe('help', () => {
  test.each([[['--help']], [['explain', '--help']], [['models', 'inspect', '--help']]])(
    '%j goes to standard output',
    async (argv) => {
      const { code, stdout, stderr } = await runInPlace(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: prompt-loupe/);
    },
  );

  test('lists the verbs there are and no others', async () => {
    const { stdout } = await runInPlace(['--help']);
    const listed = [...stdout.matchAll(/^ {2}([a-z-]+)(?: \[|$| )/gm)].map(([, verb]) => verb);
    const own = ['explain', 'evaluate', 'logprobs', 'generate', 'attention', 'capture'];
    expect(listed).toEqual([...own, ...tools.map(({ id }) => id), 'models']);
  });

  test('--version is the package’s', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
