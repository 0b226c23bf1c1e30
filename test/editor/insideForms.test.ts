/** What is typed into the form of a tool, and prompts picked from other documents, in the real editor. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Editor } from './editorHarness.ts';

let editor: Editor;
let inside: Frame;

beforeAll(async () => {
  editor = await Editor.launch({ settings: { 'promptLoupe.promptMode': 'raw' } });
  writeFileSync(path.join(editor.workspace, 'france.md'), 'The capital of France is');
  writeFileSync(path.join(editor.workspace, 'england.md'), 'The capital of England is');
  await editor.open();
});
afterEach(async (context) => {
  await editor?.screenshotIfFailed(context);
});
afterAll(async () => {
  await editor?.close();
});

const corrupt = () => inside.locator('#field-corrupt');

/** The panel's page, once it shows the form of this tool. */
async function form(question: string): Promise<void> {
  inside = await editor.webview('loupe-inside-panel');
  await inside.getByText(question).first().waitFor();
}

test('what was typed is there again when the panel comes back from behind another', async () => {
  const lines = await editor.openFile('england.md', 'England');
  await editor.openFile('france.md', 'France');
  await lines.click();
  await editor.runCommand('Look Inside …');
  await editor.listed('Activation patching').click();
  await form('carries what makes the difference');
  await corrupt().fill('The capital of Spain is');
  await inside.locator('select#field-direction').selectOption('noise');
  // The page is made anew each time the panel is shown.
  await lines.click();
  await editor.runCommand('Show the Explain Panel');
  await editor.webview('loupe-explain-panel');
  await expect.poll(() => editor.page.frames().includes(inside) && !inside.isDetached()).toBe(false);
  await editor.page.locator('.tab', { hasText: 'Look inside' }).first().click();
  await form('carries what makes the difference');
  await expect.poll(async () => await corrupt().inputValue()).toBe('The capital of Spain is');
  expect(await inside.locator('select#field-direction').inputValue()).toBe('noise');
});

test('another prompt is taken from a document that is open, and the tool runs with it', async () => {
  await inside.locator('vscode-button', { hasText: 'Take a document' }).first().click();
  await editor.listed('england.md').waitFor();
  // The prompt itself is no other prompt.
  expect(await editor.listed('france.md').count()).toBe(0);
  await editor.screenshot('inside-document');
  await editor.listed('england.md').click();
  await expect.poll(async () => await corrupt().inputValue()).toBe('The capital of England is');
  await inside
    .locator('vscode-button', { hasText: /^\s*Run/ })
    .first()
    .click();
  await inside.getByRole('heading', { name: 'Activation patching, france.md' }).waitFor({ timeout: 120_000 });
  await inside.locator('loupe-heat-block canvas').first().waitFor();
  await editor.screenshot('inside-document-run');
  expect(await editor.axeViolations(inside)).toEqual([]);
});

test('another tool has a form of its own', async () => {
  await inside.locator('select[aria-label="Tool"]').selectOption('path-patch');
  await form('What does one head or MLP tell');
  expect(await corrupt().inputValue()).toBe('');
});
