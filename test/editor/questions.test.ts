/**
 * Other questions than the next token, and one explanation beside another, clicked in the real editor: entropy, another prompt, a class,
 * a similarity; two methods, two models, before and after an edit. Each step goes on where the one before stopped; waits are for states.
 */
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { attributionMethods } from '../../src/attribution/registry.ts';
import { writeAnswerModels } from '../onnx/answerModels.ts';
import { writeTwinModels } from '../onnx/twinModels.ts';
import { testModels } from '../setup/testModels.ts';
import { Editor } from './editorHarness.ts';

let folder: string;
let editor: Editor;
let lines: Locator;
let panel: Frame;

const labelOf = (method: string) => attributionMethods.find(({ id }) => id === method)?.label ?? '?';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'prompt-loupe-questions-'));
  await writeAnswerModels(folder);
  copyFileSync(testModels.tinyLlama, path.join(folder, 'tiny.gguf'));
  const twins = writeTwinModels();
  copyFileSync(twins.gguf, path.join(folder, 'twin.gguf'));
  cpSync(twins.onnx, path.join(folder, 'twin-of-onnx'), { recursive: true });
  twins.remove();
  editor = await Editor.launch({ settings: { 'promptLoupe.modelFolders': [folder] } });
  await editor.open();
  lines = await editor.openFile('capital.md', 'capital');
});
afterEach(async (context) => {
  await editor?.screenshotIfFailed(context);
});
afterAll(async () => {
  await editor?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command and picks from the list it shows; the list is narrowed first, since it draws only what fits. */
async function pick(command: string, row: string): Promise<void> {
  await editor.runCommand(command);
  await pickRow(row);
}

async function pickRow(row: string): Promise<void> {
  const input = editor.page.locator('.quick-input-widget:visible input[type=text]').first();
  await editor.page.locator('.quick-input-widget:visible .monaco-list-row').first().waitFor();
  await input.fill(row.replace(' …', ''));
  await editor.listed(row).click();
}

async function explained(target: RegExp): Promise<void> {
  panel = await editor.webview('loupe-explain-panel');
  const line = panel.locator('.target');
  await expect.poll(async () => await line.textContent().catch(() => ''), { timeout: 120_000 }).toMatch(target);
  await expect.poll(async () => await panel.locator('.stage [role=status]').textContent(), { timeout: 120_000 }).toMatch(/Final/);
}

/** Explains the document once more: the run is seen to begin before its end is waited for. */
async function explainAgain(target: RegExp): Promise<void> {
  const begun = panel.locator('main[aria-busy="true"]').waitFor();
  await editor.runCommand('Explain Prompt');
  await begun;
  await explained(target);
}

/** What the ranking says of the strongest unit. */
const strongest = async () => await panel.locator('table tbody tr').first().innerText();

/** Words of the prompt that the panel draws with a tint. */
const tinted = async () => await panel.locator('loupe-prompt-view .prompt :is(.positive, .negative)').count();

/** Picks a model, and waits until the status bar says that it is loaded. */
async function use(model: string): Promise<void> {
  await pick('Pick a Model …', model);
  await editor.page
    .locator('.statusbar-item:visible', { hasText: `Prompt Loupe: ${model}` })
    .first()
    .waitFor();
}

async function type(text: string): Promise<void> {
  await lines.click();
  await editor.page.keyboard.press('Control+a');
  await editor.page.keyboard.insertText(text);
}

describe('what to explain, on a language model', () => {
  test('how undecided the model is', async () => {
    await lines.click();
    await pick('Choose What to Explain …', 'How undecided the model is');
    await explained(/entropy of the next token/);
    await editor.screenshot('question-entropy');
    const said = (await panel.locator('.target').innerText()).replaceAll(/\s+/g, ' ');
    expect(said).toMatch(/entropy \d+\.\d+ nats/);
    expect(said).not.toMatch(/probability/);
    expect(await tinted()).toBeGreaterThan(0);
    expect(await editor.axeViolations(panel)).toEqual([]);
  });

  test('what differs from another prompt', async () => {
    await lines.click();
    await pick('Choose What to Explain …', 'What differs from another prompt …');
    await editor.answer('The other prompt', 'The capital of Italy is');
    await explained(/divergence from .*Italy/);
    await editor.screenshot('question-kl');
    const said = (await panel.locator('.target').innerText()).replaceAll(/\s+/g, ' ');
    expect(said).not.toMatch(/probability/);
    expect(await tinted()).toBeGreaterThan(0);
    expect(await editor.axeViolations(panel)).toEqual([]);
  });

  test('a text of the user’s', async () => {
    await lines.click();
    await pick('Choose What to Explain …', 'A text of yours …');
    await editor.answer('Text to explain', ' Lyon');
    await explained(/Lyon.*probability/);
    await editor.screenshot('question-text');
    expect(await tinted()).toBeGreaterThan(0);
  });

  test('the whole response', async () => {
    await lines.click();
    await pick('Choose What to Explain …', 'Whole response');
    await explained(/Paris/);
    expect(await tinted()).toBeGreaterThan(0);
  });
});

describe('a method with a condition', () => {
  const dialog = () => editor.page.locator('.monaco-dialog-box:visible');

  test('asks first; who does not agree keeps the method of before', async () => {
    await pick('Choose What to Explain …', 'Next token');
    await explained(/Paris/);
    const before = await panel.locator('select[aria-label="Method"]').inputValue();
    await pick('Explain Prompt With …', labelOf('attn-lrp'));
    await dialog().getByText('patent').first().waitFor();
    await editor.screenshot('agreement');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await panel.getByText('Cancelled').first().waitFor();
    expect(await panel.locator('select[aria-label="Method"]').inputValue()).toBe(before);
  });

  test('runs after agreement, and does not ask again', async () => {
    await lines.click();
    await pick('Explain Prompt With …', labelOf('attn-lrp'));
    await dialog().getByRole('button', { name: 'Agree' }).click();
    await explained(/Paris/);
    const method = panel.locator('select[aria-label="Method"]');
    await expect.poll(async () => await method.inputValue()).toBe('attn-lrp');
    await lines.click();
    await explainAgain(/Paris/);
    expect(await dialog().count()).toBe(0);
    const settings = JSON.parse(readFileSync(editor.machineSettings, 'utf8')) as Record<string, unknown>;
    expect(settings['promptLoupe.agreedMethods']).toEqual(['attn-lrp']);
  });
});

describe('one explanation beside another', () => {
  const box = () => panel.locator('.comparison');
  const said = async () => (await box().innerText()).replaceAll(/\s+/g, ' ');

  test('two methods', async () => {
    await lines.click();
    await pick('Compare with Another Method …', labelOf('saliency'));
    await expect
      .poll(async () => ((await box().count()) === 0 ? '' : await said()), { timeout: 120_000 })
      .toContain(labelOf('saliency'));
    await editor.screenshot('compare-methods');
    expect(await tinted()).toBeGreaterThan(0);
    expect(await editor.axeViolations(panel)).toEqual([]);
    await box().locator('vscode-button').click();
    await box().waitFor({ state: 'detached' });
  });

  test('two models', async () => {
    await lines.click();
    await pick('Compare with Another Model …', 'tiny');
    await box().waitFor({ timeout: 120_000 });
    await editor.screenshot('compare-models');
    expect(await said()).toMatch(/SmolLM2.*tiny/i);
    expect(await tinted()).toBeGreaterThan(0);
    expect(await editor.axeViolations(panel)).toEqual([]);
    await editor.runCommand('End the Comparison');
    await box().waitFor({ state: 'detached' });
    // The model of before is the loaded one again.
    await explainAgain(/Paris/);
  });

  test('before and after an edit', async () => {
    await type('The capital of Italy is');
    await lines.getByText('Italy').first().waitFor();
    await explainAgain(/Rome/);
    await lines.click();
    await editor.runCommand('Compare with Previous');
    await box().waitFor();
    await editor.screenshot('compare-edit');
    expect(await said()).toContain('France');
    expect(await tinted()).toBeGreaterThan(0);
    await box().locator('vscode-button').click();
    await box().waitFor({ state: 'detached' });
  });
});

describe('what to explain, on a classifier and a sentence encoder', () => {
  test('the classes of a classifier are offered, and one is explained', async () => {
    await type('the quick brown fox was not happy');
    await use('classifier');
    await editor.runCommand('Choose What to Explain …');
    await editor.listed('A class …').waitFor();
    expect(await editor.listed('How undecided the model is').count()).toBe(0);
    await editor.screenshot('question-of-classifier');
    await pickRow('A class …');
    await pickRow('positive');
    await explained(/positive.*probability/);
    await editor.screenshot('question-class');
    expect(await tinted()).toBeGreaterThan(0);
    expect(await editor.axeViolations(panel)).toEqual([]);
  });

  test('one class against another', async () => {
    await lines.click();
    await pick('Choose What to Explain …', 'Why this class rather than …?');
    await pickRow('positive');
    await pickRow('negative');
    await explained(/positive rather than negative/);
    await editor.screenshot('question-classes');
  });

  test('a similarity, on an encoder', async () => {
    await lines.click();
    await use('encoder');
    await pick('Choose What to Explain …', 'Similarity to a text …');
    await editor.answer('The other text', 'a happy fox');
    await explained(/similarity to .*a happy fox/);
    await editor.screenshot('question-similarity');
    expect(await tinted()).toBeGreaterThan(0);
    expect(await strongest()).toMatch(/\d/);
    expect(await editor.axeViolations(panel)).toEqual([]);
  });
});

describe('one model as GGUF and as ONNX', () => {
  test('its two explanations are compared, and nothing differs', async () => {
    await type('the quick brown fox was not happy');
    await use('twin');
    await pick('Choose What to Explain …', 'A text of yours …');
    await editor.answer('Text to explain', ' is');
    await explained(/is/);
    await pick('Compare with Another Model …', 'twin-of-onnx');
    await panel.locator('.comparison').waitFor({ timeout: 120_000 });
    await editor.screenshot('compare-formats');
    expect((await panel.locator('.comparison').innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /twin\. B: twin-of-onnx.*No unit differs/,
    );
    expect(await tinted()).toBe(0);
  });
});
