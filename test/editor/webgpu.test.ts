/**
 * ONNX models on the execution provider webgpu, through the command line: on the software Vulkan that comes with the editor's Chromium, since
 * machines that test have no graphics card. A process of its own, because the loader of libraries reads its path when a process starts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setupVscode } from '../../scripts/setup-vscode.mjs';
import { runCli } from '../cli/cliProcess.ts';
import { type TwinModels, writeTwinModels } from '../onnx/twinModels.ts';

const root = path.resolve(import.meta.dirname, '../..');
const packed = path.join(root, '.vscode-test/node_modules/@sparticuz/chromium/bin/swiftshader.tar.br');

interface Result {
  readonly tokens: readonly { readonly logprob?: number }[];
  readonly scores: readonly number[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

// The package with the software Vulkan is for this system alone.
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('webgpu on a software Vulkan', () => {
  let twins: TwinModels;
  let folder: string;
  let vulkan: Record<string, string>;

  beforeAll(async () => {
    twins = writeTwinModels();
    await setupVscode({ browser: true });
    folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-vulkan-'));
    writeFileSync(path.join(folder, 'vulkan.tar'), brotliDecompressSync(readFileSync(packed)));
    execFileSync('tar', ['-xf', 'vulkan.tar'], { cwd: folder });
    vulkan = { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: path.join(folder, 'vk_swiftshader_icd.json') };
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    twins?.remove();
  });

  async function run(argv: readonly string[], provider: string): Promise<string> {
    const environment = provider === 'webgpu' ? vulkan : {};
    const given = [...argv, '--model', twins.onnx, '--threads', '1', '--provider', provider, '--json'];
    const { code, stdout, stderr } = await runCli(given, { environment });
    expect(code, stderr).toBe(0);
    return stdout;
  }

  test('log-probabilities and gradient are those of the processor within rounding, and the explanation says what computed it', async () => {
    const argv = [
      'explain',
      '--ids',
      '17,201,33,5,144,61',
      '--method',
      'input-x-gradient',
      '--target',
      'id:7',
      '--max-tokens',
      '1',
      '--faithfulness',
      'none',
    ];
    const explained = async (provider: string) => JSON.parse(await run(argv, provider)) as Result;
    const [found, expected] = [await explained('webgpu'), await explained('cpu')];
    const logprobs = ({ tokens }: Result) => tokens.flatMap(({ logprob }) => (logprob === undefined ? [] : [logprob]));
    expect(logprobs(found).length).toBe(5);
    expectClose(logprobs(found), logprobs(expected));
    expectClose(found.scores, expected.scores);
    // Had the processor computed it after all, not a bit would differ.
    expect(found.scores).not.toEqual(expected.scores);
    const warned = ({ warnings }: Result) => warnings.filter(({ code }) => code === 'W_PROVIDER').map(({ message }) => message);
    expect(warned(found)).toEqual([expect.stringContaining('webgpu')]);
    expect(warned(expected)).toEqual([]);
  });
});

/** Within 1e-4 of the largest number. */
function expectClose(found: readonly number[], expected: readonly number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  expect(found.length).toBe(expected.length);
  expect(largest).toBeGreaterThan(0);
  for (const [index, value] of found.entries()) expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-4 * largest);
}
