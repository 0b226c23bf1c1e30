/** Starts the pinned VS Code server with the extension, a Chromium, and one page on it; everything is stopped by `close`. */
import { mkdirSync, mkdtempSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Browser, type Frame, type Locator, type Page } from 'playwright-core';
import { type CodeServer, startCodeServer } from '../../scripts/codeServer.mjs';
import { setupVscode } from '../../scripts/setup-vscode.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const screenshots = path.join(root, 'test/vscode/screenshots');

const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export interface EditorOptions {
  /** User settings over the server's defaults. */
  readonly settings?: Record<string, unknown>;
  /** A bundled module run in the extension host instead of the story. */
  readonly testsFile?: string;
  readonly env?: Record<string, string>;
  /** A packaged extension that is installed; instead of this repository's, run from its folder. */
  readonly vsix?: string;
}

interface FinishedTask {
  readonly name: string;
  readonly result?: { readonly state: string } | undefined;
}

export class Editor {
  /** Messages of level error on the page's console, and hosts the page asked for beyond this machine. */
  readonly consoleErrors: string[] = [];
  readonly foreignHosts = new Set<string>();

  private constructor(
    readonly page: Page,
    /** A copy of examples/, so that a test may edit what it opens. */
    readonly workspace: string,
    private readonly browser: Browser,
    private readonly server: CodeServer,
    private readonly scratch: string,
    private readonly url: string,
  ) {}

  static async launch(options: EditorOptions = {}): Promise<Editor> {
    const tools = await setupVscode({ browser: true });
    if (tools.chromium === null) throw new Error('no Chromium to drive');
    const scratch = mkdtempSync(path.join(tmpdir(), 'prompt-loupe-editor-'));
    const workspace = path.join(scratch, 'examples');
    cpSync(path.join(root, 'examples'), workspace, { recursive: true });
    const server = await startCodeServer({
      node: tools.node,
      entry: tools.entry,
      dataFolder: path.join(scratch, 'data'),
      ...(options.vsix === undefined ? { extensionFolder: root } : { vsix: options.vsix }),
      folder: workspace,
      ...(options.testsFile === undefined ? {} : { testsFile: options.testsFile }),
      // One native thread: two spin against each other on a busy machine. A short hover delay keeps the story brisk.
      settings: {
        'promptLoupe.threads': 1,
        'editor.hover.delay': 100,
        'workbench.colorTheme': 'Default Dark Modern',
        ...options.settings,
      },
      env: options.env ?? {},
    });
    let browser: Browser | undefined;
    try {
      browser = await chromium.launch({ executablePath: tools.chromium, headless: true, args: chromiumArguments });
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      page.setDefaultTimeout(45_000);
      const editor = new Editor(page, workspace, browser, server, scratch, server.url);
      await editor.guardNetwork();
      return editor;
    } catch (error) {
      await browser?.close();
      await server.stop();
      throw error;
    }
  }

  async open(): Promise<void> {
    await this.page.goto(this.url);
    await this.page.waitForSelector('.monaco-workbench .explorer-folders-view .monaco-list-row', { timeout: 90_000 });
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  get serverPid(): number {
    return this.server.pid;
  }

  /** The file with settings of the user's machine, as far as they were changed. */
  get machineSettings(): string {
    return path.join(this.scratch, 'data', 'Machine', 'settings.json');
  }

  /** Where what is installed lies. */
  get extensionsFolder(): string {
    return path.join(this.scratch, 'data', 'extensions');
  }

  serverLog(): string {
    return readFileSync(this.server.logFile, 'utf8');
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: path.join(screenshots, `${name}.png`) });
  }

  /** For `afterEach`: what the editor showed when a test failed. */
  async screenshotIfFailed({ task }: { readonly task: FinishedTask }): Promise<void> {
    if (task.result?.state === 'fail') await this.screenshot(`failed-${task.name.replaceAll(/\W+/g, '-')}`);
  }

  /** A row of the list that is open. */
  listed(text: string | RegExp): Locator {
    return this.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: text }).first();
  }

  /** Answers the box that asks for a text. */
  async answer(title: string, text: string): Promise<void> {
    const box = this.page.locator('.quick-input-widget:visible', { hasText: title });
    await box.waitFor();
    await box.locator('input:is([type=text], [type=password])').first().fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Opens a file of the workspace through the explorer (file search needs a binary that is not here) and waits for its text. */
  async openFile(name: string, expectedText: string): Promise<Locator> {
    // The whole name: a file may begin like another one.
    const whole = new RegExp(`^\\s*${name.replaceAll('.', '\\.')}\\s*$`);
    const row = this.page.locator('.explorer-folders-view .monaco-list-row:visible', { hasText: whole }).first();
    if (!(await row.isVisible())) await this.page.locator('.activitybar .action-item [aria-label^="Explorer"]').first().click();
    await row.dblclick();
    const lines = this.page.locator('.editor-instance .view-lines').first();
    await lines.getByText(expectedText).first().waitFor();
    return lines;
  }

  /** Runs a command through the command palette, as a user would. */
  async runCommand(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget:visible input[type=text]').first();
    await input.waitFor();
    await input.fill(`>${title}`);
    // The whole name after its category: one command may begin like another, and the one used last stands first.
    const whole = new RegExp(`(^|: )${title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
    const name = this.page.locator('.label-name', { hasText: whole });
    const row = this.page.locator('.quick-input-widget:visible .monaco-list-row').filter({ has: name }).first();
    await row.click();
  }

  /** A webview's inner frame, once an element matching `selector` is in it. */
  async webview(selector: string): Promise<Frame> {
    const end = Date.now() + 45_000;
    while (Date.now() < end) {
      for (const frame of this.page.frames()) {
        const found = await frame
          .locator(selector)
          .count()
          .catch(() => 0);
        if (found > 0) return frame;
      }
      await this.page.waitForTimeout(100);
    }
    throw new Error(`no webview shows ${selector}`);
  }

  /** Rules that axe-core finds broken inside a frame. The webview's CSP blocks script tags, not evaluation by the debugger. */
  async axeViolations(frame: Frame): Promise<string[]> {
    const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await frame.evaluate(source);
    const result: { violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] } = await frame.evaluate(
      "window.axe.run(document, { resultTypes: ['violations'] })",
    );
    return result.violations.map(
      (v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} ${n.failureSummary}`).join(' | ')}`,
    );
  }

  private async guardNetwork(): Promise<void> {
    this.page.on('console', (message) => {
      if (message.type() === 'error') this.consoleErrors.push(message.text());
    });
    await this.page.context().route('**/*', (route) => {
      const { hostname } = new URL(route.request().url());
      // Webview resources are served by the workbench's service worker under this made-up host.
      if (hostname === '127.0.0.1' || hostname === 'localhost' || hostname.endsWith('.vscode-resource.vscode-cdn.net'))
        return route.continue();
      this.foreignHosts.add(hostname);
      return route.abort();
    });
  }
}
