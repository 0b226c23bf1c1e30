/**
 * The picture of each page of docs/inside: every tool is run in the Inside panel of the real editor on the example of its page, and what
 * the panel shows is written to media/screenshots. Run with `npm run screenshots`, one tool with `-t TOOL`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { tools } from '../../src/analysis/tools/registry.ts';
import { Editor } from './editorHarness.ts';

interface Page {
  /** A file of examples/, or else the prompt itself. */
  readonly document?: string;
  readonly text?: string;
  /** For, against; absent: the next token. */
  readonly contrast?: readonly [string, string];
  readonly fields?: Readonly<Record<string, string>>;
  /** Of the window, pixels: what must be seen at once. */
  readonly height?: number;
  readonly width?: number;
}

/** All layers of a grid. */
const grid = 1200;

const capital = 'The capital of France is';
const england = 'The capital of England is';
const cities = [' Paris', ' London'] as const;
const pages: Readonly<Record<string, Page>> = {
  lens: {},
  'direct-logit': { contrast: cities },
  weights: { fields: { layer: '23', head: '4' } },
  heads: { height: grid },
  neurons: {},
  ablate: { contrast: cities, height: grid },
  patch: { contrast: cities, fields: { corrupt: england }, height: grid },
  trace: { contrast: cities, fields: { subject: 'France' }, height: grid },
  'path-patch': { contrast: cities, fields: { corrupt: england }, height: grid },
  circuit: { contrast: cities, fields: { corrupt: england, edges: '20' }, width: 1960 },
  steer: {
    text: 'I went to see the film yesterday. I thought it was',
    contrast: [' great', ' terrible'],
    fields: {
      layer: '12',
      toward: 'I love this.|This is wonderful.|What a great day.',
      away: 'I hate this.|This is terrible.|What a bad day.',
    },
  },
  intervene: { contrast: cities, fields: { span: 'France', values: 'England|Germany|Spain' } },
  counterfactual: { fields: { 'max-edits': '1' } },
  'label-anchors': { document: 'few-shot.md' },
  'self-explanation': {
    text: 'Lena lives in Paris. Marco lives in Rome. Question: In which city does Marco live? Answer: Marco lives in',
    fields: {
      template:
        'Text: {prompt}\nAnswer: {response}\nList the {count} most important words of the text as a numbered list, one word a line.',
    },
  },
  'chain-of-thought': {
    text: 'Question: Tom has 3 apples. He buys 4 more apples and eats 2. How many apples does he have now?\nAnswer: Let us think step by step.',
    fields: { reasoning: ' Tom has 3 apples. He buys 4 more, so 3 + 4 = 7. He eats 2, so 7 - 2 = 5. The answer is 5.' },
  },
};

let editor: Editor;
beforeAll(async () => {
  editor = await Editor.launch({ settings: { 'promptLoupe.promptMode': 'raw' } });
  for (const [tool, { document, text = capital }] of Object.entries(pages)) {
    if (document === undefined) writeFileSync(path.join(editor.workspace, `${tool}.md`), text);
  }
  await editor.open();
});
afterEach(async (context) => {
  if (context.task.result?.state === 'fail') await editor.screenshot(`failed-shot-${context.task.name}`);
});
afterAll(async () => {
  await editor?.close();
});

test('every tool has a page', () => {
  expect(Object.keys(pages)).toEqual(tools.map(({ id }) => id));
});

test.each(Object.entries(pages))('%s', { timeout: 200_000 }, async (tool, page) => {
  const label = tools.find(({ id }) => id === tool)?.label ?? '';
  const document = page.document ?? `${tool}.md`;
  const lines = await editor.openFile(document, page.document === undefined ? (page.text ?? capital).slice(0, 12) : 'Review');
  await lines.click();
  // The panel takes the document that is looked at when it is asked to.
  await editor.runCommand('Look at the Layers');
  const inside = await editor.webview('loupe-inside-panel');
  await inside.getByRole('heading', { name: `Logit lens, ${document}` }).waitFor({ timeout: 100_000 });
  if (tool !== 'lens') await run(inside, tool, label, page);
  await inside.getByRole('heading', { name: `${label}, ${document}` }).waitFor({ timeout: 100_000 });
  // The form is folded away, the panel has the room of the side bar, and nothing is pointed at.
  if (tool !== 'lens') await inside.getByText('Parameters').click();
  await editor.runCommand('View: Close Primary Side Bar');
  await editor.page.mouse.move(5, 5);
  await editor.runCommand('Notifications: Clear All Notifications');
  // Last of all: a window that changes closes the list of commands.
  await editor.page.setViewportSize({ width: page.width ?? 1300, height: page.height ?? 1000 });
  await lines.click();
  const box = await (await inside.frameElement()).boundingBox();
  if (box === null) throw new Error('the panel is not shown');
  mkdirSync('media/screenshots', { recursive: true });
  await editor.page.screenshot({ path: `media/screenshots/inside-${tool}.png`, clip: box });
});

async function run(inside: Frame, tool: string, label: string, { contrast, fields = {} }: Page): Promise<void> {
  await inside.locator('select[aria-label="Tool"]').selectOption(tool);
  await inside.getByText(tools.find(({ id }) => id === tool)?.question ?? '').waitFor();
  const target = inside.locator('#target');
  if ((await target.count()) > 0) {
    await target.selectOption(contrast === undefined ? 'next' : 'contrast');
    const ends = inside.locator('.target input');
    for (const [index, end] of (contrast ?? []).entries()) await ends.nth(index).fill(end);
  }
  const form = inside.locator('details', { hasText: 'Parameters' }).first();
  if (!(await form.evaluate((node) => (node as unknown as { open: boolean }).open))) await inside.getByText('Parameters').click();
  for (const [id, value] of Object.entries(fields)) await inside.locator(`#field-${id}`).fill(value);
  await inside
    .locator('vscode-button', { hasText: /^\s*Run/ })
    .first()
    .click();
  await inside.getByRole('heading', { name: new RegExp(`^${label}, `) }).waitFor({ timeout: 100_000 });
}
