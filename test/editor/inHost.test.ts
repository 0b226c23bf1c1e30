/** Runs test/vscode/suite inside the extension host of the real editor: the same suite that test-electron runs in desktop VS Code. */
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Editor } from './editorHarness.ts';

const suite = path.resolve(import.meta.dirname, '../../dist/test/suite.cjs');
let editor: Editor | undefined;

afterEach(async () => {
  await editor?.close();
});

test('the in-host suite passes', async () => {
  editor = await Editor.launch({ testsFile: suite });
  const output: string[] = [];
  const exitCode = new Promise<number>((resolve) => {
    // The workbench calls these two when it runs extension tests in a browser.
    void editor?.page.exposeFunction('codeAutomationExit', resolve);
    void editor?.page.exposeFunction('codeAutomationLog', (_type: string, parts: unknown[]) => output.push(parts.join(' ')));
  });
  await editor.open();
  const code = await exitCode;
  expect(code, output.join('\n')).toBe(0);
  expect(output.join('\n')).toMatch(/[1-9]\d* passed, 0 failed/);
});
