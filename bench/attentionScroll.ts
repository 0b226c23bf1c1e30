import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { gridMessage, headMessage } from '../test/webview/harness/samples.ts';
import type { Benchmark, BenchmarkPaths, Measurement } from './benchmark.ts';
import { median, quantile } from './measure.ts';

interface Manifest {
  readonly contributes: { readonly colors: readonly { readonly id: string; readonly defaults: { readonly dark: string } }[] };
}

const [layers, heads, tokens] = [30, 9, 1000];
/** Frames that are scrolled through in each part of the view. */
const frames = 240;

/** The Attention view of a long prompt, scrolled in a real Chromium: all heads, then one head, zoomed in, along both axes. */
export const attentionScroll: Benchmark = {
  id: 'attention-scroll',
  title: `Scrolling the Attention view, ${layers * heads} heads of ${tokens} tokens, one step a frame, drawn without a graphics card`,
  async run(paths) {
    const browser = await launch(paths);
    try {
      const page = await openView(browser, paths);
      const words = Array.from({ length: tokens }, (_, index) => ` word${index}`);
      await send(page, gridMessage(words, layers, heads));
      // The head that the view opens with.
      await send(page, headMessage(tokens, layers - 1, 0));
      await page.locator('loupe-head-matrix canvas').waitFor();
      const list = await scrolled(page, 'loupe-head-grid', 3, 0);
      const zoomIn = page.locator('loupe-head-matrix vscode-button', { hasText: '+' });
      for (let step = 0; step < 8; step++) await zoomIn.click();
      const matrix = await scrolled(page, 'loupe-head-matrix', 23, 17);
      return [...measurements('all heads', list), ...measurements('one head, zoomed in', matrix)];
    } finally {
      await browser.close();
    }
  },
};

function measurements(part: string, intervals: readonly number[]): Measurement[] {
  return [
    { quantity: `${part}: time from frame to frame, median`, value: median(intervals), unit: 'ms' },
    { quantity: `${part}: 95th percentile`, value: quantile(intervals, 0.95), unit: 'ms' },
    { quantity: `${part}: longest frame`, value: Math.max(...intervals), unit: 'ms', goal: { atMost: 1000 } },
  ];
}

interface Setup {
  readonly systemChromium: () => string | null;
  readonly setupVscode: (options: { browser: boolean }) => Promise<{ chromium: string | null }>;
}

/** Neither is part of a bundle: the browser's driver brings files of its own, the setup looks for the package around it. */
async function launch({ root }: BenchmarkPaths): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  const file = pathToFileURL(path.join(root, 'scripts', 'setup-vscode.mjs')).href;
  const { setupVscode, systemChromium } = (await import(file)) as Setup;
  const executablePath = systemChromium() ?? (await setupVscode({ browser: true })).chromium;
  if (executablePath === null) throw new Error('no Chromium to drive');
  return await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

/** The page as the host writes it, as wide as a side bar that was pulled open. */
async function openView(browser: Browser, { root }: BenchmarkPaths): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 520, height: 900 } });
  const { contributes } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
  const colours = contributes.colors.map(({ id, defaults }) => [`--vscode-${id.replace('.', '-')}`, defaults.dark]);
  await page.addInitScript(
    `globalThis.acquireVsCodeApi = () => ({ postMessage() {}, getState() {}, setState() {} });
     addEventListener('DOMContentLoaded', () => {
       for (const [name, value] of ${JSON.stringify([...colours, ['--vscode-foreground', '#cccccc'], ['background', '#181818']])})
         document.documentElement.style.setProperty(name, value);
     });`,
  );
  const body = '<!doctype html><html lang="en"><body class="vscode-dark"></body></html>';
  await page.route('http://panel.invalid/', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto('http://panel.invalid/');
  await page.addScriptTag({ content: readFileSync(path.join(root, 'dist/webview/attention.js'), 'utf8') });
  return page;
}

async function send(page: Page, message: unknown): Promise<void> {
  await page.evaluate(
    (data) => (globalThis as unknown as { postMessage(data: unknown, to: string): void }).postMessage(data, '*'),
    message,
  );
  await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
}

/** Milliseconds between frames while a part of the view scrolls by so many pixels a frame, turning back at its ends. */
async function scrolled(page: Page, part: string, down: number, across: number): Promise<number[]> {
  // In the page's own words: benchmarks are compiled without the browser's.
  const intervals: unknown = await page.evaluate(`(async () => {
    const view = document.querySelector('loupe-attention-view').shadowRoot;
    const scroll = view.querySelector('${part}').shadowRoot.querySelector('.scroll');
    const [mostDown, mostAcross] = [scroll.scrollHeight - scroll.clientHeight, scroll.scrollWidth - scroll.clientWidth];
    if (mostDown <= 0) throw new Error('there is nothing to scroll');
    const frame = () => new Promise(requestAnimationFrame);
    const intervals = [];
    let [down, across] = [${down}, ${across}];
    for (let before = await frame(); intervals.length < ${frames}; ) {
      if (scroll.scrollTop + down < 0 || scroll.scrollTop + down > mostDown) down = -down;
      if (scroll.scrollLeft + across < 0 || scroll.scrollLeft + across > mostAcross) across = -across;
      scroll.scrollTop += down;
      scroll.scrollLeft += across;
      const now = await frame();
      intervals.push(now - before);
      before = now;
    }
    return intervals;
  })()`);
  return intervals as number[];
}
