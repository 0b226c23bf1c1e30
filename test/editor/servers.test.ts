/**
 * A model on a server, as a user meets it in the real editor: chosen by its address, explained, remembered, compared, forgotten; a key;
 * a run that is cancelled, and a server that ends in the middle and comes back. Each step goes on where the one before stopped; waits are for states.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type RunningServer, startLlamaServer } from '../remote/llamaServerOn.ts';
import { testModels } from '../setup/testModels.ts';
import { Editor } from './editorHarness.ts';
import { hover } from './hover.ts';

let server: RunningServer;
let keyed: RunningServer;
let editor: Editor;
let lines: Locator;
let panel: Frame;

beforeAll(async () => {
  server = await startLlamaServer(testModels.bundled);
  keyed = await startLlamaServer(testModels.tinyLlama, { apiKey: 'secret-key' });
  editor = await Editor.launch({ settings: { 'promptLoupe.promptMode': 'raw', 'promptLoupe.maxTokens': 2 } });
  writeFileSync(path.join(editor.workspace, 'short.md'), 'The capital of Italy is');
  await editor.open();
  lines = await editor.openFile('capital.md', 'capital');
});
afterEach(async (context) => {
  await editor?.screenshotIfFailed(context);
});
afterAll(async () => {
  await editor?.close();
  await server?.close();
  await keyed?.close();
});

async function statusBar(text: RegExp): Promise<void> {
  await editor.page.locator('.statusbar-item:visible', { hasText: text }).first().waitFor({ timeout: 60_000 });
}

async function stage(expected: RegExp): Promise<void> {
  await expect
    .poll(async () => await panel.locator('.stage [role=status]').textContent(), { timeout: 120_000 })
    .toMatch(expected);
}

/** Begins to explain, and waits until the server has been asked for changed prompts. */
async function begin(): Promise<void> {
  await lines.click();
  const before = server.requests.length;
  await editor.runCommand('Explain Prompt');
  await expect.poll(() => server.requests.length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(before + 12);
}

/** The row of a server in the Models view. */
const listedServer = (address: string) =>
  editor.page.locator('.pane:has([aria-label^="Models"]) .monaco-list-row:visible', { hasText: address });

const messages = () => editor.page.locator('.notification-list-item:visible');

test('a server is chosen by its address', async () => {
  await editor.runCommand('Pick a Model …');
  await editor.listed('Use a server …').click();
  await editor.answer('Use a server', 'localhost:8080');
  await editor.page.getByText('it is not http://HOST:PORT').first().waitFor();
  await editor.answer('Use a server', `${server.address}/`);
  await statusBar(/Prompt Loupe: SmolLM2-135M-Instruct/);
});

test('a prompt is explained on it, by a method that can run there', async () => {
  await lines.click();
  await editor.runCommand('Explain Prompt');
  panel = await editor.webview('loupe-explain-panel');
  await stage(/Final/);
  await editor.screenshot('server-explained');
  expect(await panel.locator('select[aria-label="Method"]').inputValue()).toBe('lime');
  expect(await panel.locator('.model').innerText()).toContain(server.address);
  expect(await panel.locator('.target').innerText()).toMatch(/Paris.*log-probability/);
  expect(await panel.getByText('W_METHOD_FALLBACK').count()).toBe(1);
  expect(await panel.locator('loupe-prompt-view .tint').count()).toBeGreaterThan(0);
  expect(await editor.axeViolations(panel)).toEqual([]);
});

test('hovering a word tells its score in nats, and the method', async () => {
  const text = (await hover(editor.page, lines, 'France', /rank/i)).replaceAll('\u00a0', ' ');
  expect(text).toContain('nats');
  expect(text).toContain('Method: LIME');
});

test('the Models view lists it, as the loaded one', async () => {
  await editor.runCommand('Focus on Models View');
  await listedServer(server.address).filter({ hasText: 'loaded' }).waitFor();
  await editor.screenshot('server-models');
});

test('another server wants a key, which is asked for', async () => {
  await editor.runCommand('Pick a Model …');
  await editor.listed('Use a server …').click();
  await editor.answer('Use a server', keyed.address);
  await editor.answer('The server wants a key', 'secret-key');
  await statusBar(/Prompt Loupe: model/);
  await listedServer(keyed.address).filter({ hasText: 'loaded' }).waitFor();
});

test('a server of before is picked from the list, and another one compared with it: its key is known', async () => {
  await editor.runCommand('Pick a Model …');
  await editor.listed(server.address).click();
  await statusBar(/Prompt Loupe: SmolLM2/);
  keyed.requests.length = 0;
  await lines.click();
  await editor.runCommand('Compare with Another Model …');
  await editor.listed(keyed.address).click();
  await panel.locator('.comparison').waitFor({ timeout: 120_000 });
  await editor.screenshot('server-compared');
  expect((await panel.locator('.comparison').innerText()).replaceAll(/\s+/g, ' ')).toMatch(/SmolLM2.*model/);
  expect(new Set(keyed.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret-key']));
  await editor.runCommand('End the Comparison');
  await statusBar(/Prompt Loupe: SmolLM2/);
});

test('a server is forgotten, with its key', async () => {
  await editor.runCommand('Focus on Models View');
  await listedServer(keyed.address).hover();
  await listedServer(keyed.address).getByRole('button', { name: 'Forget This Server and Its Key' }).click();
  await listedServer(keyed.address).waitFor({ state: 'detached' });
  expect(await listedServer(server.address).count()).toBe(1);
  await editor.runCommand('Pick a Model …');
  await editor.listed('Use a server …').click();
  await editor.answer('Use a server', keyed.address);
  await editor.page.locator('.quick-input-widget:visible', { hasText: 'The server wants a key' }).waitFor();
  await editor.page.keyboard.press('Escape');
  await expect.poll(async () => await editor.page.locator('.quick-input-widget:visible').count()).toBe(0);
  expect(await messages().count()).toBe(0);
});

test('the Attention view says that nothing can be seen inside, and that is no error', async () => {
  await editor.runCommand('Show the Attention View');
  const attention = await editor.webview('loupe-attention-view');
  await attention.getByText('cannot be seen').waitFor();
  expect(await attention.locator('.error').count()).toBe(0);
  await editor.screenshot('server-attention');
  expect(await editor.axeViolations(attention)).toEqual([]);
});

test('a run is cancelled, and the server is asked no more', async () => {
  await editor.runCommand('Explorer: Focus on Folders View');
  lines = await editor.openFile('few-shot.md', 'Review');
  await begin();
  await panel.locator('vscode-button', { hasText: 'Cancel' }).click();
  await panel.getByText('Cancelled').first().waitFor();
  await statusBar(/Prompt Loupe: SmolLM2/);
  expect(await messages().count()).toBe(0);
});

test('a server that ends in the middle gives one message, and nothing hangs', async () => {
  await begin();
  await server.close();
  await messages().filter({ hasText: 'E_SERVER_UNREACHABLE' }).first().waitFor();
  await panel.getByRole('alert').getByText('The run failed').waitFor();
  await panel.locator('main[aria-busy="false"]').waitFor();
  await statusBar(/Prompt Loupe: SmolLM2/);
  // The progress of the run fades out beside it.
  await expect.poll(async () => await messages().count()).toBe(1);
  await editor.screenshot('server-ended');
  expect(await panel.getByRole('alert').getByText('E_SERVER_UNREACHABLE').count()).toBe(1);
  expect(await editor.axeViolations(panel)).toEqual([]);
});

test('when it is back, prompts are explained again', async () => {
  await editor.runCommand('Notifications: Clear All Notifications');
  server = await startLlamaServer(testModels.bundled, { port: Number(new URL(server.address).port) });
  lines = await editor.openFile('short.md', 'Italy');
  await begin();
  await stage(/Final/);
  expect(await messages().count()).toBe(0);
});

test('nothing was asked of any other machine', () => {
  expect([...editor.foreignHosts]).toEqual([]);
});
