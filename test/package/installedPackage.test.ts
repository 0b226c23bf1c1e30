/**
 * What users get: the VSIX of this system is built, installed into the real editor, and run from there. The editor is told of no source tree, and what
 * runs is looked up among the processes. Waits are for states, never for time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { engineCommands } from '../editor/engineProcesses.ts';
import { Editor } from '../editor/editorHarness.ts';

const root = path.resolve(import.meta.dirname, '../..');
const target = `${process.platform}-${process.arch}`;
const vsix = path.join(root, 'dist-vsix', `prompt-loupe-${target}.vsix`);

let editor: Editor;
/** The extension as the editor installed it. */
let installed: string;

beforeAll(async () => {
  execFileSync(process.execPath, ['scripts/package.mjs', target], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  editor = await Editor.launch({ vsix, settings: { 'promptLoupe.promptMode': 'raw' } });
  const folders = readdirSync(editor.extensionsFolder).filter((name) => name.startsWith('prompt-loupe.'));
  expect(folders).toHaveLength(1);
  installed = realpathSync(path.join(editor.extensionsFolder, folders[0]!));
});
afterEach(async (context) => {
  await editor?.screenshotIfFailed(context);
});
afterAll(async () => {
  await editor?.close();
});

test('nothing of the source tree is in it, and what it needs is', () => {
  expect(installed.startsWith(root)).toBe(false);
  for (const needed of ['dist/extension.cjs', 'dist/engine.cjs', 'dist/cli.cjs', `native/prebuilt/${target}`, 'package.nls.json'])
    expect(existsSync(path.join(installed, needed)), needed).toBe(true);
  for (const left of ['src', 'test', 'bench', 'dist/test', 'tsconfig.json'])
    expect(existsSync(path.join(installed, left)), left).toBe(false);
});

test('it activates in the editor and explains a prompt, with the engine of the installed package', async () => {
  await editor.open();
  await editor.openFile('capital.md', 'capital');
  await editor.runCommand('Explain Prompt');
  await editor.page.locator('.editor-instance .view-overlays .cdr[class*="ced-"]').first().waitFor({ timeout: 180_000 });
  const commands = engineCommands(editor.serverPid);
  expect(commands).toHaveLength(1);
  expect(commands[0]).toContain(path.join(installed, 'dist', 'engine.cjs'));
  expect(commands[0]).not.toContain(path.join(root, 'dist'));
});

/** The command line of the installed package, from another folder, without anything of this repository to be found. */
function commandLine(argv: readonly string[]): {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const env = { ...process.env };
  delete env['NODE_PATH'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(installed, 'dist/cli.cjs'), ...argv], {
    cwd: editor.workspace,
    env,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

test('its command line runs the bundled model that lies in it', () => {
  const { code, stdout, stderr } = commandLine([
    'explain',
    'capital.md',
    '--raw',
    '--max-tokens',
    '1',
    '--threads',
    '1',
    '--method',
    'attention',
    '--json',
  ]);
  expect(code, stderr).toBe(0);
  const { model, scores } = JSON.parse(stdout) as {
    readonly model: { readonly file: string };
    readonly scores: readonly number[];
  };
  expect(realpathSync(model.file).startsWith(path.join(installed, 'models'))).toBe(true);
  expect(scores.length).toBeGreaterThan(1);
});

test('its command line has ONNX Runtime with it', () => {
  const model = path.join(root, 'test/fixtures/onnx/llama_genai_int4/model.onnx');
  const { code, stdout, stderr } = commandLine(['models', 'inspect', model, '--json']);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ format: 'onnx', layers: 2, hasGradients: true });
});
