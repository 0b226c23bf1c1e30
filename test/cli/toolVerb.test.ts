/** A tool that looks inside the model, as a verb: the options that are made of its parameters, its other prompts, what it prints. */
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Tool } from '../../src/analysis/tools/tool.ts';
import type { CommandContext } from '../../src/cli/commandContext.ts';
import { toolVerb } from '../../src/cli/tools/toolVerb.ts';
import { runCli, tinyModel } from './cliProcess.ts';
import { runInPlace } from './runInPlace.ts';
import { scratchFolder } from './scratchFolder.ts';

const { file } = scratchFolder();
const clean = file('clean.txt', 'The cat sat on the mat.');
const corrupt = file('corrupt.txt', 'The mat sat on the cat.');
const tiny = ['--model', tinyModel, '--threads', '1'];

const everyKind: Tool = {
  id: 'probe',
  family: 'layers',
  label: 'Probe',
  question: 'What is asked?',
  needs: ['forward'],
  usesTarget: false,
  parameters: [
    { id: 'what', kind: 'choice', label: 'What', help: 'which part', choices: ['head', 'mlp'], default: 'mlp' },
    { id: 'train-tokens', kind: 'number', label: 'Tokens', help: 'how many', default: 7 },
    { id: 'each', kind: 'boolean', label: 'Each', help: 'every one alone', default: false },
    { id: 'subject', kind: 'text', label: 'Subject', help: 'the words', default: '' },
    { id: 'corrupt', kind: 'prompt', label: 'Corrupt', help: 'the other prompt', required: true },
    { id: 'third', kind: 'prompt', label: 'Third', help: 'one more prompt' },
    { id: 'cases', kind: 'file', label: 'Cases', help: 'lines of JSON' },
  ],
  run: () => Promise.reject(new Error('not run here')),
};

/** The help that commander writes, white space joined. */
function helpOf(tool: Tool): string {
  const program = new Command('prompt-loupe');
  toolVerb(tool).register(program, {} as CommandContext);
  const [command] = program.commands;
  return command?.helpInformation().replace(/\s+/g, ' ') ?? '';
}

describe('options', () => {
  test.each([
    'Usage: prompt-loupe probe [options] [FILE] <CORRUPT> [THIRD]',
    'What is asked?',
    'CORRUPT the other prompt',
    'THIRD one more prompt',
    '--what <kind> which part (default: mlp) (choices: "head", "mlp")',
    '--train-tokens <n> how many (default: 7)',
    '--each every one alone',
    '--subject <text> the words',
    '--cases <file> lines of JSON',
    '--max-tokens <n>',
    '--model <path>',
    '--json',
  ])('help: %s', (expected) => {
    expect(helpOf(everyKind)).toContain(expected);
  });

  test('only a tool about a target takes one', () => {
    expect(helpOf(everyKind)).not.toContain('--target');
    const help = helpOf({ ...everyKind, usesTarget: true });
    expect(help).toContain('--target <target>');
    expect(help.match(/--max-tokens/g)).toHaveLength(1);
  });
});

describe('refused before a model is opened', () => {
  test.each<[string[], number, RegExp]>([
    [['patch', clean], 2, /missing required argument 'CORRUPT'/],
    [['patch', clean, corrupt, 'third.txt'], 2, /too many arguments/],
    [['patch', '--ids', '1,2'], 2, /missing required argument 'CORRUPT'/],
    [['patch', clean, corrupt, '--ids', '1,2'], 2, /exclude each other/],
    [['ablate', clean, '--what', 'everything'], 2, /'--what <kind>'.*head, mlp, attn, resid/],
    [['ablate', clean, '--layer', 'last'], 2, /'--layer <n>'/],
    [['ablate', clean, '--layer', ''], 2, /'--layer <n>'/],
    [['ablate', clean, '--frobnicate'], 2, /unknown option/],
    [['heads', clean, '--ablate=yes'], 2, /--ablate/],
    [['ablate', clean, '--target', 'Paris'], 3, /^E_TARGET_INVALID/],
    [['patch', clean, `${clean}.nowhere`], 3, /^E_PROMPT_NOT_FOUND/],
  ])('%j', async (argv, code, message) => {
    const result = await runInPlace([...argv, ...tiny]);
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: '' });
  });
});

describe('on a model', () => {
  test('--json prints the data and nothing else, twice the same', async () => {
    const argv = ['ablate', clean, '--what', 'mlp', ...tiny, '--json'];
    const [first, second] = [await runCli(argv), await runCli(argv)];
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^\{[^\n]*\}\n$/);
    expect(second.stdout).toBe(first.stdout);
  });

  test('a second FILE is the other prompt', async () => {
    const { code, stdout, stderr } = await runCli(['patch', clean, corrupt, ...tiny]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')[0]).toBe('Activation patching');
    expect(stdout).toMatch(/rows: layer; columns: position; /);
    expect(stdout).toMatch(/\d forward passes\n$/);
    // The other way round is another question.
    expect((await runCli(['patch', corrupt, clean, ...tiny, '--json'])).stdout).not.toBe(
      (await runCli(['patch', clean, corrupt, ...tiny, '--json'])).stdout,
    );
  });

  test('with --ids the FILE is the other prompt', async () => {
    const { stdout } = await runCli(['logprobs', clean, ...tiny, '--json']);
    const ids = (JSON.parse(stdout) as { tokens: { id: number }[] }).tokens.map(({ id }) => id).join(',');
    const byIds = await runCli(['patch', '--ids', ids, corrupt, ...tiny, '--json']);
    expect(byIds).toMatchObject({ code: 0, stderr: '' });
    expect(byIds.stdout).toBe((await runCli(['patch', clean, corrupt, ...tiny, '--json'])).stdout);
  });

  test.each([
    ['lens'],
    ['heads'],
    ['patch', file('ids.txt', '<5><17><40><8>\n')],
    ['trace', '--subject', '<40>'],
    ['ablate', '--target', 'contrast:<85>|<7>'],
  ])('a model without a vocabulary is looked into by ids: %s', async (verb, ...rest) => {
    const model = ['--model', 'test/fixtures/onnx/llama_optimum_kv', '--threads', '1'];
    const { code, stdout, stderr } = await runCli([verb, ...rest, '--ids', '5,17,40,5', ...model, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toBeTypeOf('object');
  });

  test('the second FILE may come from standard input', async () => {
    const argv = (other: string) => ['patch', clean, other, ...tiny, '--json'];
    const { code, stdout } = await runCli(argv('-'), { stdin: 'The mat sat on the cat.' });
    expect(code).toBe(0);
    expect(stdout).toBe((await runCli(argv(corrupt))).stdout);
  });

  test.each<[string[], string]>([
    [['ablate', clean, '--layer', '99'], 'E_LAYER_RANGE'],
    [['ablate', clean, '--layer', '0.5'], 'E_TOOL_PARAMETER'],
    [['ablate', clean, '--how', 'resample'], 'E_TOOL_PARAMETER'],
  ])('%j is %s', async (argv, error) => {
    const { code, stdout, stderr } = await runCli([...argv, ...tiny]);
    expect(stderr).toMatch(new RegExp(`^${error}: [^\\n]+; [^\\n]+; [^\\n]+\\n$`));
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });
});
