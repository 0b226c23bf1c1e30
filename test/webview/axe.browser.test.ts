/// <reference types="node" />
/** The panels in a real Chromium, under the host's content policy, in the editor's default themes: no axe violation, nothing blocked. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { explanationToSvg } from '../../src/analysis/export/svg.ts';
import { differenceOf } from '../../src/shared/difference.ts';
import { PanelBrowser, type PanelPage } from './harness/browser.ts';
import {
  capitalExplanation,
  curves,
  gridMessage,
  headMessage,
  hostileExplanation,
  hostileTexts,
  methods,
  weightedGridMessage,
  weightedHeadMessage,
  withMatrix,
} from './harness/samples.ts';
import { themeNames } from './harness/themes.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const words = 'The capital of France is Paris and the capital of Italy is Rome'.split(/(?= )/);
const methodsMessage = { type: 'methods', methods, mode: 'auto', method: 'occlusion' };

let browser: PanelBrowser;
beforeAll(async () => {
  browser = await PanelBrowser.launch();
}, 600_000);
afterEach(() => browser.closePages());
afterAll(() => browser?.close());

/** One line a violation, so that a failure says what to mend. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return results.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 160)} — ${node.failureSummary ?? ''}`),
  );
}

async function expectClean(panel: PanelPage): Promise<void> {
  expect(await violations(panel.page)).toEqual([]);
  expect(panel.problems).toEqual([]);
}

describe.each(themeNames)('%s', (theme) => {
  test('the Explain panel: waiting, running, final, each tab, failed', async () => {
    const panel = await browser.open('explain', { theme, width: 780, height: 1000 });
    // Structure is the same in every theme and checked in one; colours are checked in all.
    const expectStructure = () => (theme === 'dark' ? expectClean(panel) : undefined);
    await panel.send(methodsMessage);
    await expectStructure();
    await panel.send({ type: 'progress', phase: 'occlusion', done: 3, total: 40 });
    await panel.send({ type: 'explanation', explanation: capitalExplanation({ faithfulness: null }), stage: 'attention' });
    await expectClean(panel);
    const explanation = capitalExplanation();
    const faithfulness = { ...explanation.faithfulness!, curves };
    await panel.send({ type: 'explanation', explanation: { ...explanation, faithfulness }, stage: 'final' });
    await panel.page.locator('[data-token="0"]').click();
    await panel.page.locator('vscode-checkbox').click();
    for (const tab of ['Token probabilities', 'Faithfulness', 'Ranking']) {
      await panel.page.getByRole('tab', { name: tab }).click();
      await expectStructure();
    }
    await panel.page.getByRole('button', { name: 'Export' }).click();
    await expectClean(panel);
    await panel.page.keyboard.press('Escape');
    await panel.page.getByRole('combobox', { name: 'Score each' }).click();
    await expectStructure();
    await panel.page.keyboard.press('Escape');
    await panel.send({ type: 'failed', code: 'E_CONTEXT_OVERFLOW', message: 'E_CONTEXT_OVERFLOW: the prompt has 9 tokens' });
    await expectClean(panel);
  });

  test('the Explain panel: a comparison', async () => {
    const panel = await browser.open('explain', { theme, width: 780, height: 1000 });
    const explanation = capitalExplanation();
    const other = { ...explanation, scores: explanation.scores.toReversed() };
    const comparison = { ...differenceOf(explanation, other), nameA: 'Occlusion', nameB: 'Saliency' };
    await panel.send({ type: 'explanation', explanation, stage: 'final' });
    await panel.send({ type: 'comparison', comparison });
    await expectClean(panel);
  });

  test('the Explain panel: the matrix', async () => {
    const panel = await browser.open('explain', { theme, width: 780, height: 1000 });
    await panel.send({ type: 'explanation', explanation: withMatrix(capitalExplanation()), stage: 'final' });
    await panel.page.getByRole('tab', { name: 'Response × prompt' }).click();
    await panel.page.getByRole('gridcell').nth(30).click();
    await expectClean(panel);
  });

  test.each(['weak', 'untrusted'] as const)('the Explain panel: %s', async (verdict) => {
    const panel = await browser.open('explain', { theme, width: 420, height: 900 });
    const explanation = capitalExplanation();
    const faithfulness = { ...explanation.faithfulness!, verdict, reason: 'Not better than random.' };
    await panel.send({ type: 'explanation', explanation: { ...explanation, faithfulness }, stage: 'final' });
    await expectClean(panel);
  });

  test('the Explain panel: scores without a sign that do not add up', async () => {
    const panel = await browser.open('explain', { theme, width: 420, height: 900 });
    const completeness = { sum: 12.4, expected: -0.26, gap: -12.66, share: 48.7, steps: 64 };
    const method = { id: 'saliency', parameters: {}, seed: 0 };
    await panel.send({ type: 'explanation', explanation: capitalExplanation({ completeness, method }), stage: 'final' });
    await expectClean(panel);
  });

  test.each([300, 1100])('the Attention view, %i pixels wide', async (width) => {
    const panel = await browser.open('attention', { theme, width, height: 900 });
    const expectStructure = () => (theme === 'dark' ? expectClean(panel) : undefined);
    await expectStructure();
    await panel.send({ type: 'loading' });
    await expectStructure();
    await panel.send(gridMessage(words, 12, 9));
    await expectStructure();
    await panel.send(headMessage(words.length, 11, 0));
    await panel.page.getByRole('application').click({ position: { x: 120, y: 160 } });
    await expectClean(panel);
    await panel.send({ type: 'failed', code: 'E_ENGINE_CRASHED', message: 'the engine stopped' });
    await expectClean(panel);
  });

  test.each([300, 1100])('the Attention view weighted by the gradient, %i pixels wide', async (width) => {
    const panel = await browser.open('attention', { theme, width, height: 900 });
    await panel.send({ type: 'loading', target: ' Paris' });
    await panel.send({ type: 'progress', phase: 'taking the gradient', done: 1, total: 3 });
    await panel.send(weightedGridMessage(words, 12, 9));
    await panel.send(weightedHeadMessage(words.length, 11, 0));
    await panel.page.getByRole('application').click({ position: { x: 120, y: 160 } });
    await expectClean(panel);
    const notice = { code: 'E_GRADIENT_UNSUPPORTED', message: 'no gradient can be taken through CONV' };
    await panel.send({ ...gridMessage(words, 12, 9), notice });
    await expectClean(panel);
  });
});

test('hostile token text stays text', async () => {
  const panel = await browser.open('explain', { theme: 'dark', width: 780, height: 1000 });
  await panel.send({ type: 'explanation', explanation: hostileExplanation(), stage: 'final' });
  await panel.page.getByRole('listbox', { name: 'Response tokens' }).getByRole('option').first().click();
  expect(await panel.page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
  expect(await panel.page.locator('img, main script').count()).toBe(0);
  expect(await panel.page.locator('.prompt').innerText()).not.toMatch(/[\u202e\u0007\u0000\u001b\u200b\ufeff]/);
  await expectClean(panel);

  const view = await browser.open('attention', { theme: 'dark', width: 300, height: 900 });
  await view.send(gridMessage(hostileTexts, 2, 2));
  await view.send(headMessage(hostileTexts.length, 1, 0));
  await view.page.getByRole('application').press('Enter');
  await expectClean(view);
});

test('a person with a keyboard: words, response tokens, export', async () => {
  const panel = await browser.open('explain', { theme: 'dark', width: 780, height: 1000 });
  const { page } = panel;
  await panel.send(methodsMessage);
  await panel.send({ type: 'explanation', explanation: capitalExplanation(), stage: 'final' });
  await page.getByRole('listbox', { name: 'Prompt, scored' }).getByRole('option').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('End');
  await page.getByRole('listbox', { name: 'Response tokens' }).getByRole('option').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Why this rather than …? ‘,’' }).press('Enter');
  await page.getByRole('button', { name: 'Export' }).press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const explanation = capitalExplanation();
  const lastWord = explanation.units.findLastIndex((unit) => unit.kind === 'text');
  const firstWord = explanation.units.findIndex((unit) => unit.kind === 'text');
  expect(await panel.posted()).toEqual([
    { type: 'ready' },
    { type: 'revealUnit', unit: firstWord + 1 },
    { type: 'revealUnit', unit: lastWord },
    { type: 'explainTarget', target: { kind: 'span', from: 1, to: 1 } },
    { type: 'explainTarget', target: { kind: 'contrast', a: '.', b: ',', at: 1 } },
    { type: 'export', format: 'html' },
  ]);
});

test('an SVG picture becomes a PNG of twice its size', async () => {
  const panel = await browser.open('explain', { theme: 'dark', width: 400, height: 300 });
  const svg = explanationToSvg(hostileExplanation());
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  await panel.send({ type: 'drawPicture', svg });
  await expect.poll(async () => (await panel.posted()).at(-1)?.['type']).toBe('picture');
  const bytes = Buffer.from((await panel.posted()).at(-1)?.['bytes'] as number[]);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([2 * Number(width), 2 * Number(height)]);
  await panel.send({ type: 'drawPicture', svg: 'no picture' });
  await expect.poll(async () => (await panel.posted()).at(-1)).toEqual({ type: 'picture', bytes: null });
});

test('the dropdowns of the header', async () => {
  const panel = await browser.open('explain', { theme: 'light', width: 780, height: 700 });
  await panel.send(methodsMessage);
  await panel.send({ type: 'explanation', explanation: capitalExplanation(), stage: 'final' });
  const choose = async (name: string, option: string) => {
    await panel.page.getByRole('combobox', { name }).click();
    await panel.page.getByRole('option', { name: option, exact: true }).click();
  };
  await panel.page.getByRole('combobox', { name: 'Method' }).selectOption('attention');
  await choose('Score each', 'Sentence');
  await choose('Read as', 'Raw text');
  expect(await panel.posted()).toEqual([
    { type: 'ready' },
    { type: 'setMethod', method: 'attention' },
    { type: 'setGranularity', granularity: 'sentence' },
    { type: 'setMode', mode: 'raw' },
  ]);
});

test('the weighting of attention is chosen with the keyboard', async () => {
  const panel = await browser.open('attention', { theme: 'dark', width: 600, height: 900 });
  await panel.send({ type: 'loading', target: ' Paris' });
  await panel.send(gridMessage(words, 4, 4));
  const picker = panel.page.getByRole('combobox', { name: 'Show' });
  await picker.focus();
  await picker.press('ArrowDown');
  expect(await panel.posted()).toEqual([
    { type: 'ready', weighting: 'plain' },
    { type: 'requestHead', layer: 3, head: 0 },
    { type: 'setWeighting', weighting: 'gradient' },
  ]);
});

test('the weighting of attention is chosen with the pointer: the list lies over the heads', async () => {
  const panel = await browser.open('attention', { theme: 'dark', width: 300, height: 900 });
  await panel.send({ type: 'loading', target: ' Paris' });
  await panel.send(gridMessage(words, 4, 4));
  await panel.page.getByRole('combobox', { name: 'Show' }).click();
  await panel.page.getByRole('option', { name: 'attention × gradient of ‘␣Paris’' }).click({ timeout: 5000 });
  expect((await panel.posted()).at(-1)).toEqual({ type: 'setWeighting', weighting: 'gradient' });
});

test('signed values have the tints’ two hues', async () => {
  const panel = await browser.open('attention', { theme: 'dark', width: 600, height: 900 });
  await panel.send(weightedGridMessage(words, 4, 4));
  await panel.send(weightedHeadMessage(words.length, 3, 0));
  const hues = await panel.page.locator('loupe-head-matrix canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let blue = 0;
    let orange = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red = 0, , blueness = 0, alpha = 0] = data.subarray(at, at + 4);
      if (alpha < 40) continue;
      if (blueness > red + 60) blue += 1;
      if (red > blueness + 60) orange += 1;
    }
    return { blue, orange };
  });
  expect(hues.blue).toBeGreaterThan(100);
  expect(hues.orange).toBeGreaterThan(100);
  expect(panel.problems).toEqual([]);
});

test('1,000 tokens: open a head, zoom, scroll, select; the whole row goes to the editor', async () => {
  const many = Array.from({ length: 1000 }, (_, index) => ` w${index}`);
  const panel = await browser.open('attention', { theme: 'dark', width: 600, height: 900 });
  const { page } = panel;
  await panel.send(gridMessage(many, 4, 4));
  await panel.send(headMessage(1000, 3, 0));
  const matrix = page.getByRole('application');
  await matrix.focus();
  for (const key of ['+', '+', '+', '+', 'Control+End', 'ArrowLeft', 'Enter']) await matrix.press(key);
  expect(await page.getByText(/looks at ‘␣w998’: 0\.\d{3}/).count()).toBe(1);
  const selected = (await panel.posted()).at(-1) as { type: string; token: number; weights: number[] };
  expect([selected.type, selected.token, selected.weights.length]).toEqual(['selectToken', 999, 1000]);
  expect(selected.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
  // The canvas is as large as the view, never as the matrix.
  const size = await page
    .locator('loupe-head-matrix canvas')
    .evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height]);
  expect(Math.max(...size)).toBeLessThanOrEqual(900);
  expect(panel.problems).toEqual([]);
});

test('Chinese', async () => {
  const panel = await browser.open('explain', { theme: 'light', width: 780, height: 900, language: 'zh-cn' });
  await panel.send({ type: 'explanation', explanation: capitalExplanation(), stage: 'final' });
  expect(await panel.page.getByRole('button', { name: '重新运行' }).count()).toBe(1);
  await expectClean(panel);
});
