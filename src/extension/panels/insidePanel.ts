/** The webview of the Inside panel: one for the window, beside the editor. What it shows is `inside/inside.ts`'s business. */
import * as vscode from 'vscode';
import type { InsidePanelIn, InsidePanelOut } from '../../shared/protocol/insidePanel.ts';
import { viewIds } from '../commandTable.ts';
import { t } from '../localise.ts';
import { configureWebview } from './configureWebview.ts';
import { parseInsidePanelOut } from './insideMessages.ts';

export class InsidePanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | null = null;
  private ready = false;

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly log: vscode.LogOutputChannel,
    /** `ready`: the page has just started and knows nothing. */
    private readonly onMessage: (message: InsidePanelOut) => void,
    private readonly onClose: () => void,
  ) {}

  get isOpen(): boolean {
    return this.panel !== null;
  }

  get isReady(): boolean {
    return this.ready;
  }

  /** Opens the panel beside the editor, which keeps the focus. */
  show(): void {
    if (this.panel !== null) {
      this.panel.reveal(undefined, true);
      return;
    }
    const title = t('Look inside');
    const panel = vscode.window.createWebviewPanel(viewIds.inside, title, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
    });
    const icon = (theme: 'light' | 'dark') => vscode.Uri.joinPath(this.extensionUri, 'media', `panel-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    configureWebview(panel.webview, this.extensionUri, 'inside', title);
    panel.webview.onDidReceiveMessage((data) => this.receive(data));
    panel.onDidDispose(() => {
      this.panel = null;
      this.ready = false;
      this.onClose();
    });
    this.panel = panel;
  }

  post(message: InsidePanelIn): void {
    if (this.panel === null || !this.ready) return;
    // Resolves to false when the page is gone; it asks for everything again when it comes back.
    void this.panel.webview.postMessage(message);
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private receive(data: unknown): void {
    const message = parseInsidePanelOut(data);
    if (message === null) {
      this.log.warn('The Inside panel sent a message that is none; it was ignored.');
      return;
    }
    if (message.type === 'ready') this.ready = true;
    this.onMessage(message);
  }
}
