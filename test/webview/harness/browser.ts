/// <reference types="node" />
/** A real Chromium for the panels: bundles them as the build does, serves them on loopback under the host's content policy. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { outputNamed } from '../../../scripts/build.mjs';
import { setupVscode, systemChromium } from '../../../scripts/setup-vscode.mjs';
import { type ThemeName, themeVariables } from './themes.ts';

const root = path.resolve(import.meta.dirname, '../../..');

export type PanelName = 'explain' | 'attention' | 'inside';

export interface PanelPage {
  readonly page: Page;
  /** What the page logged as an error or threw; a blocked style or script shows here. */
  readonly problems: string[];
  send(message: unknown): Promise<void>;
  /** Everything the panel told the host, oldest first; typed arrays as plain ones. */
  posted(): Promise<Record<string, unknown>[]>;
}

export interface PanelOptions {
  readonly theme: ThemeName;
  readonly width: number;
  readonly height: number;
  readonly language?: string;
  /** Device pixels per CSS pixel; 1 unless told. */
  readonly scale?: number;
}

export class PanelBrowser {
  private constructor(
    private readonly browser: Browser,
    private readonly server: Server,
    private readonly origin: string,
  ) {}

  static async launch(): Promise<PanelBrowser> {
    const executablePath = await findChromium();
    const scripts = await bundlePanels();
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const script = scripts.get(url.pathname);
      if (script !== undefined) response.setHeader('content-type', 'text/javascript').end(script);
      else if (url.pathname === '/') response.setHeader('content-type', 'text/html').end(pageHtml(url.searchParams));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
    return new PanelBrowser(browser, server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async open(panel: PanelName, options: PanelOptions): Promise<PanelPage> {
    const context = await this.browser.newContext({
      viewport: { width: options.width, height: options.height },
      deviceScaleFactor: options.scale ?? 1,
      reducedMotion: 'reduce',
      forcedColors: 'none',
    });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (line) => {
      if (line.type() === 'error') problems.push(line.text());
    });
    const query = new URLSearchParams({ panel, lang: options.language ?? 'en', theme: options.theme });
    await page.goto(`${this.origin}/?${query.toString()}`);
    return {
      page,
      problems,
      send: async (message) => {
        await page.evaluate((data) => window.postMessage(data, '*'), message);
        // A message is a task of its own, and the panel renders in the microtask after it.
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      },
      posted: () =>
        page.evaluate(() =>
          (window as unknown as { posted: Record<string, unknown>[] }).posted.map((message) =>
            Object.fromEntries(
              Object.entries(message).map(([key, value]) => [
                key,
                value instanceof Float32Array || value instanceof Uint8Array ? [...value] : value,
              ]),
            ),
          ),
        ),
    };
  }

  async closePages(): Promise<void> {
    for (const context of this.browser.contexts()) await context.close();
  }

  async close(): Promise<void> {
    await this.browser.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The page as the host writes it, with the theme set as the editor sets it: variables on the root element. */
function pageHtml(query: URLSearchParams): string {
  const theme = (query.get('theme') ?? 'dark') as ThemeName;
  const { kind, variables } = themeVariables(theme);
  const panel = (query.get('panel') ?? 'explain') as PanelName;
  const setUp = `
    window.posted = [];
    let state;
    window.acquireVsCodeApi = () => ({ postMessage: (m) => window.posted.push(m), getState: () => state, setState: (s) => { state = s; } });
    for (const [name, value] of Object.entries(${JSON.stringify(variables)})) document.documentElement.style.setProperty(name, value);
    document.documentElement.style.setProperty('background', 'var(--vscode-${panel === 'attention' ? 'sideBar' : 'editor'}-background)');`;
  const policy = "default-src 'none'; script-src 'nonce-n0nce'; style-src 'nonce-n0nce'; img-src blob:";
  return `<!doctype html><html lang="${query.get('lang') === 'zh-cn' ? 'zh-cn' : 'en'}"><head><meta charset="utf-8"><title>Panel</title>
    <meta http-equiv="Content-Security-Policy" content="${policy}"></head>
    <body class="${kind}" data-vscode-theme-kind="${kind}"><script nonce="n0nce">${setUp}</script><script nonce="n0nce" src="/${panel}.js"></script></body></html>`;
}

async function bundlePanels(): Promise<Map<string, string>> {
  const { outputFiles = [] } = await build({ ...outputNamed('explain'), absWorkingDir: root, write: false, sourcemap: false });
  return new Map(outputFiles.map((file) => [`/${path.basename(file.path)}`, file.text]));
}

/** One that is there, then the one the editor tests install. Throws when there is none: these tests never skip. */
async function findChromium(): Promise<string> {
  const chromium = systemChromium() ?? (await setupVscode({ browser: true })).chromium;
  if (chromium === null) throw new Error('no Chromium to drive');
  return chromium;
}
