/** Hosts the Explain panel: one for the window, which follows the last document that was explained. */
import * as vscode from 'vscode';
import type { Comparison } from '../../shared/difference.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { ExplainPanelIn, ExplainPanelOut } from '../../shared/protocol/panel.ts';
import { viewIds } from '../commandTable.ts';
import { errorText } from '../errorMessage.ts';
import type { EngineService } from '../engineService.ts';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import { type MethodCatalog, usualUnits } from '../explain/methodCatalog.ts';
import { methodChoices } from '../explain/methodChoices.ts';
import type { Stage } from '../explain/session.ts';
import { t, translateRendered } from '../localise.ts';
import { onSettingChange, readSettings } from '../settings.ts';
import { logError } from '../log.ts';
import { translateExplanation } from '../renderedTexts.ts';
import { configureWebview } from './configureWebview.ts';
import { parseExplainPanelOut } from './panelMessages.ts';

export class ExplainPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | null = null;
  private ready = false;
  /** What the page has, so that only news is sent: an explanation of a long prompt is large. */
  private sent: { explanation: Explanation; stage: Stage } | null = null;
  /** What is being drawn. */
  private picture: { readonly svg: string; readonly done: (bytes: Uint8Array | null) => void } | null = null;
  private sentMethods = '';
  private sentComparison: Comparison | null = null;
  private highlighted: number | null = null;
  private readonly disposables: vscode.Disposable[] = [];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly active: ActiveDocument,
    private readonly engine: Pick<EngineService, 'status'>,
    private readonly methods: MethodCatalog,
    private readonly log: vscode.LogOutputChannel,
    private readonly onMessage: (message: ExplainPanelOut) => void,
  ) {
    this.disposables.push(
      active.onChange(() => this.sendNews()),
      onSettingChange(['intensity'], () => this.sendIntensity()),
      new vscode.Disposable(methods.onChange(() => this.sendNews())),
    );
  }

  get isOpen(): boolean {
    return this.panel !== null;
  }

  /** Whether the page runs and has told so. */
  get isReady(): boolean {
    return this.ready;
  }

  /** Opens the panel beside the editor, which keeps the focus. */
  show(): void {
    if (this.panel !== null) {
      this.panel.reveal(undefined, true);
      return;
    }
    const title = t('Explain');
    const panel = vscode.window.createWebviewPanel(viewIds.explain, title, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
    });
    const icon = (theme: 'light' | 'dark') => vscode.Uri.joinPath(this.extensionUri, 'media', `panel-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    configureWebview(panel.webview, this.extensionUri, 'explain', title);
    panel.webview.onDidReceiveMessage((data) => this.receive(data));
    panel.onDidDispose(() => {
      this.panel = null;
      this.ready = false;
      this.sent = null;
      this.drawn(null);
    });
    this.panel = panel;
  }

  /** Draws an SVG as the bytes of a PNG file; opens the panel for it. Null when it cannot be drawn, or the panel is closed meanwhile. */
  draw(svg: string): Promise<Uint8Array | null> {
    this.picture?.done(null);
    // A hidden page does not run; when it is back it says it is ready, and gets the picture then.
    this.show();
    return new Promise((resolve) => {
      this.picture = { svg, done: resolve };
      this.sendPicture();
    });
  }

  /** Tells which unit the cursor is on. */
  highlight(unit: number | null): void {
    if (unit === this.highlighted) return;
    this.highlighted = unit;
    this.post({ type: 'highlight', unit });
  }

  dispose(): void {
    this.panel?.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private receive(data: unknown): void {
    const message = parseExplainPanelOut(data);
    if (message === null) {
      this.log.warn('The Explain panel sent a message that is none; it was ignored.');
      return;
    }
    if (message.type === 'ready') {
      this.ready = true;
      this.sent = null;
      this.sentMethods = '';
      this.sendNews();
      this.sendIntensity();
      this.post({ type: 'highlight', unit: this.highlighted });
      this.sendPicture();
      this.askForMethods();
    } else if (message.type === 'picture') this.drawn(message.bytes);
    else this.onMessage(message);
  }

  /** An old explanation is shown without a run, which else would have asked. */
  private askForMethods(): void {
    if (this.methods.current.length > 0) return;
    this.methods.read(usualUnits).catch((thrown: unknown) => logError(this.log, thrown));
  }

  private sendPicture(): void {
    if (this.picture !== null) this.post({ type: 'drawPicture', svg: this.picture.svg });
  }

  private drawn(bytes: Uint8Array | null): void {
    this.picture?.done(bytes);
    this.picture = null;
  }

  /** Only news: they stay the same while a run tells its progress. */
  private sendMethods(message: Extract<ExplainPanelIn, { type: 'methods' }>): void {
    const news = JSON.stringify(message);
    if (news === this.sentMethods) return;
    this.sentMethods = news;
    this.post(message);
  }

  private sendIntensity(): void {
    this.post({ type: 'intensity', intensity: readSettings().intensity });
  }

  private sendNews(): void {
    const { session } = this.active;
    if (!this.ready || session === undefined) return;
    const { mode, method } = session.choices;
    this.sendMethods({
      type: 'methods',
      methods: methodChoices(this.methods.current, this.engine.status.model, t),
      mode,
      method,
    });
    const { view, stage } = session;
    if (view === null && this.sent !== null) {
      this.sent = null;
      this.post({ type: 'empty' });
    }
    if (view !== null && (this.sent?.explanation !== view || this.sent.stage !== stage)) {
      this.sent = { explanation: view, stage };
      this.post({ type: 'explanation', explanation: translateExplanation(view, translateRendered), stage });
      this.sentComparison = null;
    }
    if (view !== null && session.comparison !== this.sentComparison) {
      this.sentComparison = session.comparison;
      this.post({ type: 'comparison', comparison: session.comparison });
    }
    if (session.run !== null)
      this.post({ type: 'progress', ...(session.progress ?? { phase: t('waiting'), done: 0, total: 0 }) });
    else if (session.failure !== null) {
      this.post({ type: 'failed', code: session.failure.code, message: errorText(session.failure) });
    } else this.post({ type: 'idle' });
  }

  private post(message: ExplainPanelIn): void {
    if (this.panel === null || !this.ready) return;
    // Resolves to false when the page is gone; it asks for everything again when it comes back.
    void this.panel.webview.postMessage(message);
  }
}
