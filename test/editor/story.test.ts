/**
 * The user story in the real editor, step after step on one page: each test goes on where the one before stopped.
 * Waits are for states, never for time.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { attributionMethods } from '../../src/attribution/registry.ts';
import { settingsTable } from '../../src/extension/settingsTable.ts';
import { Editor } from './editorHarness.ts';
import { enginePids } from './engineProcesses.ts';
import { hover, wordBox } from './hover.ts';

const manifest = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
  contributes: { colors: { id: string; defaults: { dark: string } }[] };
};

const defaultMethod = attributionMethods.find(({ id }) => id === settingsTable.method.default)?.label ?? '';

let editor: Editor;
let lines: Locator;
let panel: Frame;
let attention: Frame;
let inside: Frame;

beforeAll(async () => {
  editor = await Editor.launch();
  await editor.open();
});

afterEach(async (context) => {
  await editor?.screenshotIfFailed(context);
});

afterAll(async () => {
  await editor?.close();
});

/** `#rrggbbaa` as the browser computes it: the editor hands opacities on with two decimals. */
function computedColour(hex: string): string {
  const [red, green, blue, alpha] = (hex.slice(1).match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  const opacity = alpha === undefined ? 1 : Math.round((alpha / 255) * 100) / 100;
  return opacity === 1 ? `rgb(${red}, ${green}, ${blue})` : `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}

/** Backgrounds of the drawn overlay, with where they stand: `[colour, left, right, top]`, pixels. */
async function overlayBoxes(): Promise<{ colour: string; left: number; right: number; top: number }[]> {
  return await editor.page.locator('.editor-instance .view-overlays .cdr[class*="ced-"]').evaluateAll((nodes) =>
    nodes.map((node) => {
      const box = (
        node as unknown as { getBoundingClientRect(): { left: number; right: number; top: number } }
      ).getBoundingClientRect();
      const colour = (globalThis as unknown as { getComputedStyle(n: unknown): { backgroundColor: string } }).getComputedStyle(
        node,
      ).backgroundColor;
      return { colour, left: box.left, right: box.right, top: box.top };
    }),
  );
}

/** Whether an overlay range lies on the word, edge to edge (2 px of rounding). */
async function isTinted(word: string): Promise<boolean> {
  const [box, drawn] = [await wordBox(lines, word), await overlayBoxes()];
  return drawn.some(
    (range) =>
      range.left <= box.left + 2 &&
      range.right >= box.right - 2 &&
      Math.abs(range.top - box.top) < 12 &&
      !/, 0\)$/.test(range.colour),
  );
}

/** The words of the prompt that carry a tint. */
async function tintedWords(): Promise<string[]> {
  const words = ['capital', 'of', 'France', 'is'];
  const tinted = await Promise.all(words.map(isTinted));
  return words.filter((_, index) => tinted[index]);
}

async function stage(expected: RegExp): Promise<void> {
  await expect
    .poll(async () => await panel.locator('.stage [role=status]').textContent(), { timeout: 120_000, interval: 100 })
    .toMatch(expected);
}

test('right-click on a prompt offers Explain Prompt, and choosing it tints the words', async () => {
  lines = await editor.openFile('capital.md', 'capital');
  await lines.getByText('France').first().click({ button: 'right' });
  const item = editor.page.locator('.monaco-menu .action-item:visible', { hasText: 'Explain Prompt' }).first();
  await item.waitFor();
  await editor.screenshot('menu');
  await item.click();
  panel = await editor.webview('loupe-explain-panel');
  await stage(/Final/);
  await expect.poll(tintedWords).not.toEqual([]);
  const positive = manifest.contributes.colors
    .filter(({ id }) => /positive\d$/.test(id))
    .map(({ defaults }) => computedColour(defaults.dark));
  const drawn = (await overlayBoxes()).map(({ colour }) => colour);
  expect(drawn.filter((colour) => positive.includes(colour)).length, drawn.join(' ')).toBeGreaterThan(0);
});

test('hovering a word shows score, share, rank and method', async () => {
  const text = await hover(editor.page, lines, 'France', /rank/i);
  expect(text).toMatch(/nats|logit|standard\sdeviations/);
  expect(text).toMatch(/%/);
  expect(text.replaceAll('\u00a0', ' ')).toContain(`Method: ${defaultMethod}`);
  // The hover fades in.
  const opacity = () =>
    editor.page
      .locator('.monaco-hover:visible', { hasText: /rank/i })
      .first()
      .evaluate(
        (node) => (globalThis as unknown as { getComputedStyle(n: unknown): { opacity: string } }).getComputedStyle(node).opacity,
      );
  await expect.poll(opacity).toBe('1');
  await editor.screenshot('overlay');
});

test('the panel shows the default method and its precision', async () => {
  const header = panel.locator('.settings');
  expect(
    await header.locator('select[aria-label="Method"]').evaluate((node) => (node as unknown as { value: string }).value),
  ).toBe(settingsTable.method.default);
  expect(await header.locator('.precision').innerText()).toMatch(/^Computed\s+as served$/);
});

test('the panel shows prompt, response, probabilities and a measured faithfulness', async () => {
  await panel.getByText('Paris').first().waitFor();
  expect(await panel.locator('loupe-response-view .token').count()).toBeGreaterThan(0);
  await panel
    .getByText(/Trusted|Weak|Do not trust|Not measured/)
    .first()
    .waitFor();
  // The hover of the step before would hide half of the panel.
  await lines.click({ position: { x: 300, y: 300 } });
  await editor.page.locator('.monaco-hover:visible').waitFor({ state: 'detached' });
  await editor.screenshot('panel');
  expect(await editor.axeViolations(panel)).toEqual([]);
});

test('the full check adds its measures to the same picture', async () => {
  const tints = async () => (await overlayBoxes()).map(({ colour }) => colour);
  const before = await tints();
  await panel.getByText('Check in full', { exact: true }).click();
  await panel.getByRole('tab', { name: 'Faithfulness' }).click();
  const measure = panel.getByText('Area under the deletion curve (lower is better)');
  await measure.waitFor({ timeout: 240_000 });
  await stage(/Final/);
  await expect.poll(async () => await panel.getByText('Check in full', { exact: true }).count()).toBe(0);
  expect(await tints()).toEqual(before);
  await editor.screenshot('full-check');
  await panel.getByRole('tab', { name: 'Ranking' }).click();
});

test('clicking another word of the answer explains that word', async () => {
  const before = await panel.locator('.target').textContent();
  await panel.locator('loupe-response-view .token[data-token="1"]').click();
  await expect.poll(async () => await panel.locator('.target').textContent(), { timeout: 120_000 }).not.toBe(before);
  await stage(/Final/);
});

test('the Attention view shows every head of the same prompt', async () => {
  await editor.runCommand('Show the Attention View');
  attention = await editor.webview('loupe-attention-view');
  await attention.locator('loupe-head-grid canvas').waitFor();
  await attention.locator('loupe-head-grid [role=gridcell]').nth(20).click();
  await attention.locator('loupe-head-matrix canvas').waitFor();
  await editor.screenshot('attention');
  expect(await editor.axeViolations(attention)).toEqual([]);
});

test('the Attention view weights heads by the gradient of the answer, with signs', async () => {
  await attention.getByRole('combobox', { name: 'Show' }).click();
  await attention.getByRole('option', { name: /attention × gradient of ‘/ }).click();
  const legends = attention.locator('.legend');
  await expect.poll(async () => await legends.count(), { timeout: 120_000 }).toBe(2);
  for (const legend of await legends.all()) {
    expect(await legend.getAttribute('aria-label')).toMatch(
      /^Colour scale: from −[\d.]+ nats, against ‘.+’, to \+[\d.]+ nats, for it$/,
    );
  }
  expect(await attention.locator('loupe-head-grid [role=gridcell]').first().getAttribute('aria-label')).toMatch(/strongest [+−]/);
  await editor.screenshot('attention-gradient');
  expect(await editor.axeViolations(attention)).toEqual([]);
  await attention.getByRole('combobox', { name: 'Show' }).click();
  await attention.getByRole('option', { name: 'plain attention' }).click();
  await expect.poll(async () => await legends.count(), { timeout: 120_000 }).toBe(0);
});

test('typing moves the tints with their words', async () => {
  await lines.getByText('capital').first().click();
  // The row of the head that was looked at goes; the whole explanation comes back.
  let tinted: string[] = [];
  const settled = async () => {
    const before = tinted;
    tinted = await tintedWords();
    return tinted.length > 2 && tinted.join() === before.join();
  };
  await expect.poll(settled).toBe(true);
  await editor.page.keyboard.press('Control+Home');
  await editor.page.keyboard.type('So: ');
  await lines.getByText('So:').first().waitFor();
  await expect.poll(tintedWords).toEqual(tinted);
  expect(await isTinted('So:')).toBe(false);
  await editor.screenshot('edited');
  await editor.page.keyboard.press('Control+z');
});

test('a running explanation can be cancelled, and the next one runs', async () => {
  lines = await editor.openFile('rag.md', 'passages');
  await editor.runCommand('Explain Prompt');
  await panel
    .getByRole('button', { name: 'Cancel' })
    .or(panel.locator('vscode-button', { hasText: 'Cancel' }))
    .first()
    .click();
  await panel.getByText('Cancelled').first().waitFor();
  // Back to the editor's column: files open where the focus is.
  await lines.click();
  lines = await editor.openFile('capital.md', 'capital');
  await editor.runCommand('Explain Prompt');
  await stage(/Final/);
});

test('an engine that is killed comes back', async () => {
  const pids = enginePids(editor.serverPid);
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await expect.poll(() => enginePids(editor.serverPid).some((pid) => pids.includes(pid))).toBe(false);
  await lines.getByText('France').first().click();
  await editor.runCommand('Explain Prompt');
  await expect.poll(() => enginePids(editor.serverPid).length, { timeout: 60_000 }).toBeGreaterThan(0);
  await stage(/Final/);
  await expect.poll(tintedWords).not.toEqual([]);
});

test('why this rather than another: the alternatives are listed, and the first is explained', async () => {
  await editor.runCommand('Why This Rather Than …?');
  const rows = editor.page.locator('.quick-input-widget:visible .monaco-list-row');
  await rows.filter({ hasText: 'Another text …' }).first().waitFor();
  await editor.screenshot('why-this');
  await rows.first().click();
  await expect.poll(async () => await panel.locator('.target').textContent(), { timeout: 120_000 }).toMatch(/logit/);
  await stage(/Final/);
});

test('a difference is drawn in place of the scores, and ends', async () => {
  await editor.runCommand('Compare with Previous');
  await panel.locator('.comparison').waitFor();
  await expect.poll(tintedWords).not.toEqual([]);
  await editor.screenshot('comparison');
  expect(await editor.axeViolations(panel)).toEqual([]);
  await panel.locator('.comparison vscode-button').click();
  await panel.locator('.comparison').waitFor({ state: 'detached' });
});

test('the strength of the tints follows the slider', async () => {
  const colours = async () => (await overlayBoxes()).map(({ colour }) => colour).sort();
  const before = await colours();
  await panel.locator('input[type=range]').focus();
  await editor.page.keyboard.press('End');
  await expect.poll(colours).not.toEqual(before);
  await editor.page.keyboard.press('Home');
  await editor.screenshot('strength');
});

test('the explanation is saved as a PNG that the panel draws', async () => {
  // A panel that has the focus takes it back after a command, and the list that the command opened closes.
  await lines.click({ position: { x: 300, y: 300 } });
  await editor.runCommand('Export the Explanation …');
  await editor.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: 'PNG' }).first().click();
  const name = editor.page.locator('.quick-input-widget:visible input[type=text]').first();
  await expect.poll(async () => await name.inputValue()).toMatch(/capital\.md\.explanation\.png$/);
  await editor.page.keyboard.press('Enter');
  const file = path.join(editor.workspace, 'capital.md.explanation.png');
  await expect.poll(() => existsSync(file) && readFileSync(file).subarray(1, 4).toString(), { timeout: 30_000 }).toBe('PNG');
});

test('the History view lists what was explained, and shows it again', async () => {
  await editor.runCommand('Focus on History View');
  const rows = editor.page.locator('.pane:has([aria-label^="History"]) .monaco-list-row:visible');
  await expect.poll(async () => await rows.count()).toBeGreaterThan(2);
  await editor.screenshot('history');
  const before = await panel.locator('.target').textContent();
  await rows.last().click();
  await expect.poll(async () => await panel.locator('.target').textContent()).not.toBe(before);
  await stage(/Final/);
});

test('Look Inside lists the tools by family, and the chosen one draws its grid', async () => {
  await editor.runCommand('Explorer: Focus on Folders View');
  // The list is read again when it comes back, and its rows move.
  await editor.page.locator('.explorer-folders-view .monaco-list-row:visible', { hasText: 'explanation.png' }).waitFor();
  lines = await editor.openFile('capital.md', 'capital');
  await lines.click();
  // Whatever the steps before left of it.
  await editor.page.keyboard.press('Control+a');
  await editor.page.keyboard.insertText('The capital of France is');
  await editor.runCommand('Notifications: Clear All Notifications');
  await editor.runCommand('Look Inside …');
  const rows = editor.page.locator('.quick-input-widget:visible .monaco-list-row');
  await rows.filter({ hasText: 'What would each layer answer' }).first().waitFor();
  await editor.screenshot('look-inside');
  await rows.filter({ hasText: 'What would each layer answer' }).first().click();
  inside = await editor.webview('loupe-inside-panel');
  await inside.locator('loupe-heat-block canvas').first().waitFor({ timeout: 120_000 });
  expect(await inside.locator('loupe-heat-block').count()).toBeGreaterThan(1);
});

test('a cell of the grid is marked in the editor, and the cursor marks its column', async () => {
  const grid = inside.locator('loupe-heat-block').first();
  await grid.getByRole('application').focus();
  await grid.getByRole('application').press('Control+End');
  await grid.getByRole('application').press('ArrowLeft');
  const marks = editor.page.locator('.editor-instance .view-overlays .cdr[class*="ced-"]');
  const borders = async () =>
    await marks.evaluateAll((nodes) =>
      nodes
        .map(
          (node) =>
            (globalThis as unknown as { getComputedStyle(n: unknown): { borderTopStyle: string } }).getComputedStyle(node)
              .borderTopStyle,
        )
        .filter((style) => style === 'solid'),
    );
  await expect.poll(borders).not.toEqual([]);
  await expect.poll(async () => await grid.locator('.readout').innerText()).toMatch(/^layer L29 · token ␣(France|is): 0\.\d+ · /);
  await editor.screenshot('inside');
  expect(await editor.axeViolations(inside)).toEqual([]);
  const picture = async () =>
    await grid.locator('canvas').evaluate((node) => (node as unknown as { toDataURL(): string }).toDataURL());
  await lines.click();
  await expect.poll(borders).toEqual([]);
  const before = await picture();
  await editor.page.keyboard.press('Home');
  await expect.poll(picture).not.toBe(before);
});

test('a tool is cancelled while it runs, and what was shown stays', async () => {
  await inside.locator('select[aria-label="Tool"]').selectOption('ablate');
  await inside.getByText('What changes when').first().waitFor();
  await inside.locator('vscode-button', { hasText: 'Run' }).click();
  await inside.locator('vscode-button', { hasText: 'Cancel' }).click();
  await inside.getByText('Cancelled').waitFor();
  expect(await inside.locator('loupe-heat-block').count()).toBeGreaterThan(1);
});

test('the result is saved as JSON, and a grid as CSV', async () => {
  const save = async (button: RegExp, ending: RegExp) => {
    await inside.getByRole('button', { name: button }).first().click();
    const name = editor.page.locator('.quick-input-widget:visible input[type=text]').first();
    await expect.poll(async () => await name.inputValue(), { timeout: 30_000 }).toMatch(ending);
    await editor.page.keyboard.press('Enter');
    await name.waitFor({ state: 'detached' });
  };
  await save(/^Export as JSON/, /capital\.md\.lens\.json$/);
  await save(/^CSV … of /, /capital\.md\.lens\.\d+\.csv$/);
  const written = (ending: string) => {
    const file = readdirSync(editor.workspace).find((name) => name.startsWith('capital.md.lens.') && name.endsWith(ending));
    return file === undefined ? '' : readFileSync(path.join(editor.workspace, file), 'utf8');
  };
  await expect.poll(() => written('.json'), { timeout: 30_000 }).toMatch(/^\{"/);
  await expect.poll(() => written('.csv'), { timeout: 30_000 }).toMatch(/^row,layer,column,token,value/);
  // Messages lie over the buttons of the panel that the next step presses.
  await editor.runCommand('Notifications: Clear All Notifications');
});

test('an edit that a tool found is applied with one click, and refused once the document has changed', async () => {
  await inside.locator('select[aria-label="Tool"]').selectOption('counterfactual');
  await inside.getByText('Which smallest change').first().waitFor();
  await inside.locator('#target').selectOption('next');
  await inside.getByText('Parameters').click();
  await inside.locator('#field-budget').fill('40');
  await inside.locator('#field-max-edits').fill('1');
  await inside.locator('vscode-button', { hasText: 'Run' }).click();
  const apply = inside.locator('vscode-button', { hasText: 'Apply to the document' }).first();
  await apply.waitFor({ timeout: 170_000 });
  const changed = await inside.locator('ins').first().innerText();
  await editor.screenshot('inside-edit');
  await apply.click();
  await lines.getByText(changed).first().waitFor();
  await inside.getByText('The document has changed since this run.').waitFor();
  await apply.click();
  await editor.page.locator('.notification-list-item:visible', { hasText: 'E_EDIT_UNFIT' }).first().waitFor();
  await lines.click();
  await editor.page.keyboard.press('Control+z');
  await lines.getByText('France').first().waitFor();
  await inside.getByText('The document has changed since this run.').waitFor({ state: 'detached' });
});

test('the layers of another prompt are read: a grid of tokens, told in words, with the token marked in the prompt', async () => {
  lines = await editor.openFile('few-shot.md', 'Review');
  await lines.getByText('Review').first().click();
  await editor.runCommand('Notifications: Clear All Notifications');
  await editor.runCommand('Look at the Layers');
  await inside.getByRole('heading', { name: 'Logit lens, few-shot.md' }).waitFor({ timeout: 120_000 });
  const grid = inside.locator('loupe-heat-block').first();
  await grid.locator('canvas').waitFor({ timeout: 120_000 });
  await grid.locator('[tabindex="0"]').first().focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await editor.page.keyboard.press(key);
  await expect.poll(async () => await grid.locator('.readout').textContent()).toMatch(/layer L\d+/);
  const marked = editor.page.locator('.editor-instance .view-overlays .cdr[class*="ced-"]');
  await expect.poll(async () => await marked.count()).toBeGreaterThan(0);
  await editor.screenshot('inside-layers');
  expect(await editor.axeViolations(inside)).toEqual([]);
});

test('another tool is chosen and run in the same panel, and its table sorts', async () => {
  await inside.locator('select.grouped').first().selectOption('heads');
  await inside.locator('vscode-button', { hasText: 'Run' }).click();
  await inside.getByRole('heading', { name: 'Head statistics, few-shot.md' }).waitFor({ timeout: 170_000 });
  const table = inside.locator('loupe-table-block').first();
  const entropy = table.locator('th', { hasText: /entropy/i }).first();
  await entropy.locator('button').click();
  expect(await entropy.getAttribute('aria-sort')).toBe('descending');
  await editor.screenshot('inside-heads');
  expect(await editor.axeViolations(inside)).toEqual([]);
});

test('nothing was asked of any other machine', () => {
  expect([...editor.foreignHosts]).toEqual([]);
});
