/** Hosts the Attention view: layer × head attention of the prompt that was explained last, plain or times its gradient. */
import * as vscode from 'vscode';
import { toLoupeError } from '../../shared/errors.ts';
import type { AttentionWeighting, ModelSummary, PromptSource } from '../../shared/protocol/engine.ts';
import type { AttentionViewIn, AttentionWeightingChoice } from '../../shared/protocol/panel.ts';
import { viewIds } from '../commandTable.ts';
import type { CallHooks, EngineService } from '../engineService.ts';
import { errorText } from '../errorMessage.ts';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import { phaseText } from '../explain/phaseText.ts';
import type { DocumentSession } from '../explain/session.ts';
import { t } from '../localise.ts';
import { logError } from '../log.ts';
import { attentionWeighting } from './attentionWeighting.ts';
import { configureWebview } from './configureWebview.ts';
import { parseAttentionViewOut } from './panelMessages.ts';
import { type WeightedGrid, weightedGrid } from './weightedGrid.ts';

/** Side of a head's thumbnail, in cells. */
const thumbnailSize = 32;

export class AttentionView implements vscode.WebviewViewProvider, vscode.Disposable {
  private view: vscode.WebviewView | null = null;
  private ready = false;
  /** The prompt whose grid the page shows or waits for. */
  private shown: PromptSource | null = null;
  /** What the user chose to see. */
  private choice: AttentionWeightingChoice = 'plain';
  /** What the grid on the page is weighted by; its heads are too. */
  private weighting: AttentionWeighting | null = null;
  private gridRun: AbortController | null = null;
  private gridPending = false;
  private headRun: AbortController | null = null;
  private readonly disposables: vscode.Disposable[] = [];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly engine: EngineService,
    private readonly active: ActiveDocument,
    private readonly log: vscode.LogOutputChannel,
    /** Gets the model ready that the prompt was explained with. */
    private readonly ensureModel: (signal: AbortSignal) => Promise<Pick<ModelSummary, 'can'>>,
  ) {
    this.disposables.push(
      vscode.window.registerWebviewViewProvider(viewIds.attention, this),
      active.onChange(() => this.follow()),
    );
  }

  get isReady(): boolean {
    return this.ready;
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    configureWebview(view.webview, this.extensionUri, 'attention', t('Attention'));
    view.webview.onDidReceiveMessage((data) => this.receive(data));
    view.onDidChangeVisibility(() => this.follow());
    view.onDidDispose(() => {
      this.view = null;
      this.ready = false;
      this.shown = null;
      this.gridRun?.abort();
      this.headRun?.abort();
    });
  }

  highlight(token: number | null): void {
    this.post({ type: 'highlight', token });
  }

  dispose(): void {
    this.gridRun?.abort();
    this.headRun?.abort();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private receive(data: unknown): void {
    const message = parseAttentionViewOut(data);
    switch (message?.type) {
      case undefined:
        this.log.warn('The Attention view sent a message that is none; it was ignored.');
        return;
      case 'ready':
        this.ready = true;
        this.choice = message.weighting;
        this.shown = null;
        this.follow();
        return;
      case 'setWeighting':
        if (message.weighting === this.choice) return;
        this.choice = message.weighting;
        this.shown = null;
        this.follow();
        return;
      case 'refresh':
        this.shown = null;
        this.follow();
        return;
      case 'requestHead':
        this.sendHead(message.layer, message.head).catch((thrown: unknown) => this.fail(thrown));
        return;
      case 'selectToken': {
        const { token, weights } = message;
        this.active.session?.setMirror(token === null || weights === null ? null : { token, weights });
      }
    }
  }

  /** Asks for the grid once the explanation is final: the attention of a run that is under way would only delay it. */
  private follow(): void {
    if (!this.ready || this.view?.visible !== true) return;
    const { session } = this.active;
    const prompt = session?.prompt ?? null;
    if (session === undefined || prompt === null) {
      this.shown = null;
      this.gridRun?.abort();
      this.post({ type: 'idle' });
      return;
    }
    if (session.run !== null) {
      // The run comes first; a grid still waiting for an earlier prompt would only hold it up.
      if (this.gridPending) {
        this.gridRun?.abort();
        this.shown = null;
      }
      return;
    }
    if (prompt === this.shown) return;
    this.shown = prompt;
    this.sendGrid(prompt, session).catch((thrown: unknown) => this.fail(thrown));
  }

  private async sendGrid(prompt: PromptSource, { explanation, target }: DocumentSession): Promise<void> {
    this.gridRun?.abort();
    this.headRun?.abort();
    const controller = new AbortController();
    this.gridRun = controller;
    this.gridPending = true;
    const wanted = this.choice === 'gradient' ? attentionWeighting(explanation, target) : null;
    this.post({ type: 'loading', ...(explanation === null ? {} : { target: explanation.target.label }) });
    const fetched = await this.fetchGrid(prompt, wanted, controller).finally(() => {
      if (this.gridRun === controller) this.gridPending = false;
    });
    if (controller.signal.aborted) return;
    if (fetched === null) {
      this.post({ type: 'idle', unseen: true });
      return;
    }
    const { grid, weighting, refused } = fetched;
    this.weighting = weighting;
    if (refused !== null) {
      this.choice = 'plain';
      logError(this.log, refused);
    }
    const { tokens, layers, heads, size, thumbnails, weightedBy } = grid;
    this.post({
      type: 'grid',
      tokens,
      layers,
      heads,
      size,
      thumbnails,
      ...(weightedBy === undefined ? {} : { weightedBy }),
      ...(refused === null ? {} : { notice: { code: refused.code, message: errorText(refused) } }),
    });
  }

  /** Null for a model whose attention cannot be seen. */
  private async fetchGrid(
    prompt: PromptSource,
    weighting: AttentionWeighting | null,
    { signal }: AbortController,
  ): Promise<WeightedGrid | null> {
    const { can } = await this.ensureModel(signal);
    if (!can.capture) return null;
    const hooks = this.hooks(signal, t('Attention'));
    return weightedGrid(this.engine, { prompt, size: thumbnailSize }, weighting, hooks);
  }

  private hooks(signal: AbortSignal, title: string): CallHooks {
    const onProgress = ({ phase, done, total }: { phase: string; done: number; total: number }) => {
      if (!signal.aborted) this.post({ type: 'progress', phase: phaseText(phase, t), done, total });
    };
    return { signal, title, onProgress };
  }

  private async sendHead(layer: number, head: number): Promise<void> {
    if (this.shown === null) return;
    this.headRun?.abort();
    const controller = new AbortController();
    this.headRun = controller;
    await this.ensureModel(controller.signal);
    const { weighting } = this;
    const found = await this.engine.attentionHead(
      { prompt: this.shown, layer, head, ...(weighting === null ? {} : { weighting }) },
      { signal: controller.signal, title: t('Attention of layer {0}, head {1}', layer, head) },
    );
    if (controller.signal.aborted) return;
    const { shape, values, weightedBy } = found;
    this.post({
      type: 'head',
      layer: found.layer,
      head: found.head,
      shape,
      values,
      ...(weightedBy === undefined ? {} : { weightedBy }),
    });
  }

  private fail(thrown: unknown): void {
    const error = toLoupeError(thrown);
    if (error.kind === 'cancelled') return;
    logError(this.log, error);
    this.post({ type: 'failed', code: error.code, message: errorText(error) });
  }

  private post(message: AttentionViewIn): void {
    if (this.view === null || !this.ready) return;
    void this.view.webview.postMessage(message);
  }
}
