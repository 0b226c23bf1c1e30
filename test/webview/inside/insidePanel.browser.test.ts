/// <reference types="node" />
/** The Inside panel in a real Chromium, under the host's content policy: every kind of block, keys, hostile texts, a large grid. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PanelBrowser, type PanelPage } from '../harness/browser.ts';
import {
  everyBlock,
  heat,
  patchTool,
  lensTool,
  resultMessage,
  signedHeat,
  subjectMessage,
  table,
  toolsMessage,
} from '../harness/insideSamples.ts';
import { type ThemeName, themeNames } from '../harness/themes.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: PanelBrowser;
beforeAll(async () => {
  browser = await PanelBrowser.launch();
}, 600_000);
afterEach(() => browser.closePages());
afterAll(() => browser?.close());

async function expectClean({ page, problems }: PanelPage): Promise<void> {
  await page.evaluate(axeSource);
  const results = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  const found = results.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} — ${node.failureSummary ?? ''}`),
  );
  expect(found).toEqual([]);
  expect(problems).toEqual([]);
}

async function open(theme: ThemeName, width = 780): Promise<PanelPage> {
  const panel = await browser.open('inside', { theme, width, height: 1000 });
  await panel.send(toolsMessage);
  await panel.send(subjectMessage);
  return panel;
}

/** What the panel asked of the host; what it only told of its form left out. */
async function asked(panel: PanelPage) {
  return (await panel.posted()).filter(({ type }) => type !== 'draft');
}

test('parameters that were just opened stay open when something is drawn at once', async () => {
  const { page, problems } = await open('dark');
  // Opened and typed into in one turn of the page, before the browser has told of the opening.
  const isOpen = await page.evaluate(async () => {
    interface Part {
      readonly open?: boolean;
      readonly updateComplete?: Promise<unknown>;
      value: string;
      click(): void;
      dispatchEvent(event: Event): boolean;
      querySelector(selector: string): Part;
      readonly shadowRoot: Part;
    }
    const { document } = globalThis as unknown as { document: { querySelector(selector: string): Part } };
    const panel = document.querySelector('loupe-inside-panel');
    const root = panel.shadowRoot ?? panel;
    root.querySelector('summary').click();
    const field = root.querySelector('input[id^="field-"]');
    field.value = '3';
    field.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    await panel.updateComplete;
    return root.querySelector('details').open;
  });
  expect(isOpen).toBe(true);
  await page.locator('input[id^="field-"]').first().waitFor();
  await page.getByText('Parameters').click();
  await page.locator('input[id^="field-"]').first().waitFor({ state: 'hidden' });
  expect(problems).toEqual([]);
});

test.each(themeNames)('%s: waiting, running, every block, stale, failed', async (theme) => {
  const panel = await open(theme);
  await panel.page.getByText('Parameters').click();
  await expectClean(panel);
  await panel.send({ type: 'progress', phase: 'reading the layers', done: 3, total: 30 });
  await expectClean(panel);
  await panel.send(everyBlock);
  for (const summary of await panel.page.getByText('As a table').all()) await summary.click();
  await panel.page.getByRole('application').first().press('ArrowDown');
  await panel.send({ type: 'highlight', token: 3 });
  await panel.send({ type: 'stale', stale: true });
  await expectClean(panel);
  await panel.send({ type: 'failed', code: 'E_TOOL_PARAMETER', message: 'No. (E_TOOL_PARAMETER)' });
  await expectClean(panel);
});

test('hostile texts stay text', async () => {
  const panel = await open('dark');
  await panel.send(everyBlock);
  for (const summary of await panel.page.getByText('As a table').all()) await summary.click();
  expect(await panel.page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
  expect(await panel.page.locator('img, main script, main b, main i').count()).toBe(0);
  expect(await panel.page.getByText('<img src=x onerror=').count()).toBeGreaterThan(3);
});

test('the cursor of a grid: keys move it, its tokens are marked, its words are said', async () => {
  const panel = await open('dark');
  await panel.send(resultMessage([heat]));
  const grid = panel.page.getByRole('application', { name: /Most likely next token: 8 rows \(layer\) by 6 columns/ });
  await grid.focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'Enter']) await grid.press(key);
  await expect
    .poll(async () => await panel.page.locator('loupe-heat-block .readout').innerText())
    .toBe('layer L1 · token ␣capital: 0.0208 · ␣capital · rank 7');
  expect((await panel.posted()).slice(1)).toEqual([
    { type: 'markTokens', tokens: [0] },
    { type: 'markTokens', tokens: [1] },
    { type: 'revealTokens', tokens: [1] },
  ]);
  await grid.press('Escape');
  expect((await panel.posted()).at(-1)).toEqual({ type: 'markTokens', tokens: [] });
});

test('keys move the cursor although the pointer rests on the grid, and the grid moves away under it', async () => {
  const panel = await browser.open('inside', { theme: 'dark', width: 780, height: 360 });
  await panel.send(toolsMessage);
  await panel.send(subjectMessage);
  const rows = { title: 'layer', entries: Array.from({ length: 30 }, (_, at) => ({ label: `L${at}` })) };
  await panel.send(resultMessage([{ ...signedHeat, rows, values: new Float32Array(30 * signedHeat.columns.entries.length) }]));
  const grid = panel.page.getByRole('application');
  await grid.scrollIntoViewIfNeeded();
  const box = await grid.boundingBox();
  await panel.page.mouse.move((box?.x ?? 0) + 120, Math.max(20, box?.y ?? 0) + 60, { steps: 3 });
  const readout = panel.page.locator('loupe-heat-block .readout');
  await expect.poll(async () => await readout.innerText()).toContain('layer');
  for (const [key, expected] of [
    ['Control+End', 'L29'],
    ['Control+Home', 'L0'],
    ['PageDown', 'L10'],
    ['ArrowDown', 'L11'],
  ] as const) {
    await grid.press(key);
    await expect.poll(async () => await readout.innerText()).toMatch(new RegExp(`^layer ${expected} `));
  }
});

test('a table sorts by its headers, and its rows mark their tokens', async () => {
  const panel = await open('dark');
  await panel.send(resultMessage([table]));
  const first = () => panel.page.locator('loupe-table-block tbody th').allInnerTexts();
  expect(await first()).toEqual(['L0.H1', 'L1.H0', 'L2.H0', 'L3.H4']);
  const header = panel.page.getByRole('columnheader', { name: 'Entropy (nats)' });
  await header.getByRole('button').press('Enter');
  expect([await first(), await header.getAttribute('aria-sort')]).toEqual([['L3.H4', 'L0.H1', 'L1.H0', 'L2.H0'], 'descending']);
  await header.getByRole('button').press('Enter');
  expect([await first(), await header.getAttribute('aria-sort')]).toEqual([['L1.H0', 'L0.H1', 'L3.H4', 'L2.H0'], 'ascending']);
  await panel.page.locator('tr[tabindex="0"]').focus();
  await panel.page.keyboard.press('ArrowDown');
  await panel.page.keyboard.press('Enter');
  expect((await panel.posted()).slice(1).filter(({ tokens }) => (tokens as number[]).length > 0)).toEqual([
    { type: 'markTokens', tokens: [2, 3] },
    { type: 'markTokens', tokens: [4] },
    { type: 'revealTokens', tokens: [4] },
  ]);
});

test('the form: what is wrong is said, what is right goes to the host', async () => {
  const panel = await open('dark');
  const { page } = panel;
  await page.getByText('Parameters').click();
  await page.getByLabel('Layer').fill('30');
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText('Give 29 or less.').waitFor();
  await page.getByLabel('Layer').fill('3');
  await page.getByLabel('Site').selectOption('mlp_out');
  await page.getByLabel('Exact').check();
  await page.getByRole('button', { name: 'Train on: Choose a file …' }).click();
  await page.getByLabel('About').selectOption('contrast');
  await page.getByLabel('This answer').fill(' Paris');
  await page.getByLabel('rather than').fill(' Rome');
  await page.getByRole('button', { name: 'Run' }).click();
  expect((await asked(panel)).slice(1)).toEqual([
    { type: 'pickFile', parameter: 'train' },
    {
      type: 'run',
      tool: 'lens',
      parameters: { site: 'mlp_out', layer: 3, exact: true },
      target: { kind: 'contrast', a: ' Paris', b: ' Rome' },
    },
  ]);
  await panel.send({ type: 'tools', tools: [lensTool, patchTool], selected: 'patch' });
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText('Give this first.').waitFor();
  await page.getByLabel('Corrupted prompt (needed)').fill('The capital of Italy is');
  await page.getByRole('button', { name: 'Run' }).click();
  expect((await asked(panel)).at(-1)).toEqual({
    type: 'run',
    tool: 'patch',
    parameters: { corrupt: 'The capital of Italy is' },
    target: { kind: 'next' },
  });
});

test('a part of the response is asked for by its tokens; one that ends before it begins is not', async () => {
  const panel = await open('dark');
  const { page } = panel;
  await page.getByLabel('About').selectOption('span');
  await page.getByLabel('First token of the response').fill('2');
  await page.getByRole('button', { name: 'Run' }).click();
  expect(await asked(panel)).toEqual([{ type: 'ready' }]);
  await page.getByLabel('Last token of the response').fill('4');
  await page.getByRole('button', { name: 'Run' }).click();
  expect((await asked(panel)).at(-1)).toMatchObject({ type: 'run', target: { kind: 'span', from: 2, to: 4 } });
  await expectClean(panel);
});

test('the host is told what stands in the form, and a page that was hidden gets it back', async () => {
  const panel = await open('dark');
  await panel.page.getByText('Parameters').click();
  await panel.page.getByLabel('Layer').fill('7');
  await panel.page.getByLabel('About').selectOption('response');
  const told = (await panel.posted()).findLast(({ type }) => type === 'draft');
  expect(told).toMatchObject({ draft: { fields: { layer: '7' }, target: { kind: 'response' } } });
  const again = await open('dark');
  await again.send(told);
  await again.page.getByText('Parameters').click();
  expect(await again.page.getByLabel('Layer').inputValue()).toBe('7');
  expect(await again.page.getByLabel('About').inputValue()).toBe('response');
  await again.send({ type: 'tools', tools: [lensTool, patchTool], selected: 'patch' });
  await again.send({ type: 'tools', tools: [lensTool, patchTool], selected: 'lens' });
  await again.page.getByText('Parameters').click();
  expect(await again.page.getByLabel('Layer').inputValue()).toBe('-1');
});

test('a parameter of several lines keeps its line breaks', async () => {
  const panel = await open('dark');
  await panel.page.getByText('Parameters').click();
  const field = panel.page.getByLabel('Template');
  expect(await field.inputValue()).toBe('Text: {prompt}\nWhy?');
  await field.press('Control+End');
  await field.press('Enter');
  await field.pressSequentially('And?');
  const told = (await panel.posted()).findLast(({ type }) => type === 'draft');
  expect(told).toMatchObject({ draft: { fields: { template: 'Text: {prompt}\nWhy?\nAnd?' } } });
});

test('another prompt is taken from a document', async () => {
  const panel = await open('dark');
  const { page } = panel;
  await panel.send({ type: 'tools', tools: [lensTool, patchTool], selected: 'patch' });
  await page.getByRole('button', { name: 'Corrupted prompt: Take a document …' }).click();
  expect((await asked(panel)).at(-1)).toEqual({ type: 'pickDocument', parameter: 'corrupt' });
  await panel.send({ type: 'text', parameter: 'corrupt', text: 'The capital of Italy is' });
  expect(await page.getByLabel('Corrupted prompt (needed)').inputValue()).toBe('The capital of Italy is');
  await page.getByRole('button', { name: 'Run' }).click();
  expect((await asked(panel)).at(-1)).toMatchObject({ parameters: { corrupt: 'The capital of Italy is' } });
  await expectClean(panel);
});

test('the result is exported as JSON, and each block of numbers as CSV', async () => {
  const panel = await open('dark');
  await panel.send(everyBlock);
  const blocks = everyBlock.type === 'result' ? everyBlock.result.blocks : [];
  const numbers = blocks.flatMap(({ kind }, index) => (kind === 'edit' || kind === 'text' ? [] : [index]));
  await panel.page.getByRole('button', { name: 'Export as JSON …' }).click();
  for (const button of await panel.page.getByRole('button', { name: /^CSV … of / }).all()) await button.click();
  expect((await panel.posted()).filter(({ type }) => type === 'export').map(({ block }) => block)).toEqual([null, ...numbers]);
});

test('an edit is applied, scores are drawn in the editor, a run is cancelled', async () => {
  const panel = await open('dark');
  await panel.send(everyBlock);
  await panel.page.getByRole('button', { name: 'Apply to the document' }).click();
  await panel.page.getByText('Draw in the editor').click();
  await panel.send({ type: 'progress', phase: 'x', done: 0, total: 0 });
  await panel.page.getByRole('button', { name: 'Cancel' }).click();
  expect((await panel.posted()).filter(({ type }) => type !== 'markTokens').slice(1)).toEqual([
    { type: 'applyEdit', block: 9 },
    { type: 'drawScores', block: 8 },
    { type: 'cancel' },
  ]);
});

test('30 layers × 9 heads by 1,000 tokens: only what is in view is drawn, and the end is reached by keys', async () => {
  const panel = await open('dark');
  const rows = Array.from({ length: 270 }, (_, at) => ({ label: `L${Math.floor(at / 9)}.H${at % 9}` }));
  const columns = Array.from({ length: 1000 }, (_, at) => ({ label: ` w${at}`, tokens: [at] }));
  const values = Float32Array.from({ length: 270_000 }, (_, at) => Math.sin(at / 7));
  const large = { ...signedHeat, rows: { title: 'head', entries: rows }, columns: { title: 'token', entries: columns }, values };
  await panel.send(resultMessage([large]));
  const grid = panel.page.getByRole('application');
  await grid.press('Control+End');
  await grid.press('ArrowLeft');
  await expect.poll(async () => await panel.page.locator('.readout').innerText()).toContain('head L29.H8 · token ␣w998');
  const canvas = panel.page.locator('loupe-heat-block canvas');
  const [width = 0, height = 0] = await canvas.evaluate((node: HTMLCanvasElement) => [node.width, node.height]);
  expect([width <= 800, height <= 700]).toEqual([true, true]);
  expect(panel.problems).toEqual([]);
});
