/** Hosts the Inside panel: runs the tools that look inside the model on the prompt in the editor. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { toLoupeError } from '../../shared/errors.ts';
import { detectFormat } from '../../shared/promptFormat.ts';
import type { PromptSource } from '../../shared/protocol/engine.ts';
import type { InsidePanelIn, InsidePanelOut } from '../../shared/protocol/insidePanel.ts';
import type { ToolDescription, ToolResult } from '../../shared/protocol/tools.ts';
import type { TargetSpec } from '../../shared/target.ts';
import { viewIds } from '../commandTable.ts';
import type { EngineService } from '../engineService.ts';
import { errorText } from '../errorMessage.ts';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import { phaseText } from '../explain/phaseText.ts';
import { t } from '../localise.ts';
import { logError } from '../log.ts';
import { configureWebview } from '../panels/configureWebview.ts';
import { readSettings } from '../settings.ts';
import { documentRange } from './documentRange.ts';
import { InsideMarks } from './insideMarks.ts';
import { parseInsidePanelOut } from './insideMessages.ts';

/** A file of cases larger than this is refused. */
const largestFileBytes = 16 * 1024 * 1024;

interface Shown {
  readonly result: ToolResult;
  readonly uri: string;
  readonly version: number;
}

export class InsidePanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | null = null;
  private ready = false;
  private tools: readonly ToolDescription[] = [];
  private tool = 'lens';
  private place: { readonly uri: string; readonly selection: vscode.Selection | null } | null = null;
  private run: AbortController | null = null;
  private shown: Shown | null = null;
  /** Contents of files chosen for parameters. */
  private readonly files = new Map<string, string>();
  private readonly marks = new InsideMarks();
  private readonly disposables: vscode.Disposable[] = [];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly engine: Pick<EngineService, 'tools' | 'tool'>,
    private readonly active: ActiveDocument,
    private readonly log: vscode.LogOutputChannel,
    private readonly ensureModel: (signal: AbortSignal) => Promise<unknown>,
  ) {
    this.disposables.push(
      this.marks,
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && document.uri.toString() === this.shown?.uri) this.turnStale();
      }),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, selections }) => this.follow(textEditor, selections[0])),
    );
  }

  get isReady(): boolean {
    return this.ready;
  }

  /** What the page shows, for tests inside the editor. */
  get result(): ToolResult | null {
    return this.shown?.result ?? null;
  }

  /** Opens the panel with a tool on a document; the selection is the prompt where there is one. */
  async open(tool: string, editor: vscode.TextEditor): Promise<void> {
    this.tool = tool;
    const { document, selection } = editor;
    this.place = { uri: document.uri.toString(), selection: selection.isEmpty ? null : selection };
    this.show();
    await this.sendTools();
  }

  dispose(): void {
    this.run?.abort();
    this.panel?.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private show(): void {
    if (this.panel !== null) {
      this.panel.reveal(undefined, true);
      return;
    }
    const title = t('Look Inside');
    const panel = vscode.window.createWebviewPanel(viewIds.inside, title, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
    });
    configureWebview(panel.webview, this.extensionUri, 'inside', title);
    panel.webview.onDidReceiveMessage((data) => {
      this.receive(data).catch((thrown: unknown) => this.fail(thrown));
    });
    panel.onDidDispose(() => {
      this.run?.abort();
      this.clearMarks();
      this.panel = null;
      this.ready = false;
      this.shown = null;
    });
    this.panel = panel;
  }

  private async receive(data: unknown): Promise<void> {
    const message = parseInsidePanelOut(data);
    if (message === null) {
      this.log.warn('The Inside panel sent a message that is none; it was ignored.');
      return;
    }
    switch (message.type) {
      case 'ready':
        this.ready = true;
        await this.sendTools();
        if (this.shown !== null) this.post({ type: 'result', result: this.shown.result });
        return;
      case 'run':
        await this.start(message);
        return;
      case 'cancel':
        this.run?.abort();
        return;
      case 'mark':
        this.withEditor((editor, result) => this.marks.point(editor, result, message.tokens));
        return;
      case 'draw':
        this.withEditor((editor, result) => {
          const block = message.block === null ? undefined : result.blocks[message.block];
          this.marks.draw(editor, result, block?.kind === 'prompt' ? block : null);
        });
        return;
      case 'apply':
        await this.apply(message.block);
        return;
      case 'pickFile':
        await this.pickFile(message.parameter);
    }
  }

  private async sendTools(): Promise<void> {
    if (!this.ready) return;
    if (this.tools.length === 0) this.tools = await this.engine.tools();
    const target: TargetSpec = this.active.session?.target ?? { kind: 'next' };
    this.post({ type: 'tools', tools: this.tools, tool: this.tool, target });
  }

  private async start({ tool, parameters, target }: Extract<InsidePanelOut, { type: 'run' }>): Promise<void> {
    this.run?.abort();
    const controller = new AbortController();
    this.run = controller;
    this.tool = tool;
    this.clearMarks();
    const { signal } = controller;
    try {
      const document = await this.document();
      const prompt = promptOf(document, this.place?.selection ?? null);
      const { version } = document;
      this.post({ type: 'progress', phase: t('Loading the model'), done: 0, total: 0 });
      await this.ensureModel(signal);
      const given = Object.fromEntries(
        (this.tools.find(({ id }) => id === tool)?.parameters ?? []).flatMap(({ id, kind }) => {
          const value = kind === 'file' ? this.files.get(`${tool}.${id}`) : parameters[id];
          return value === undefined ? [] : [[id, value]];
        }),
      );
      const settings = readSettings(document.uri);
      const result = await this.engine.tool(
        { tool, prompt, parameters: given, target, maxTokens: settings.maxTokens, seed: settings.seed },
        {
          signal,
          title: t('Look Inside'),
          onProgress: ({ phase, done, total }) => {
            if (!signal.aborted) this.post({ type: 'progress', phase: phaseText(phase, t), done, total });
          },
        },
      );
      if (signal.aborted) return;
      this.shown = { result, uri: document.uri.toString(), version };
      this.post({ type: 'result', result });
      if (document.version !== version) this.turnStale();
    } catch (thrown) {
      if (this.run === controller) this.fail(thrown);
    } finally {
      if (this.run === controller) this.run = null;
    }
  }

  private async document(): Promise<vscode.TextDocument> {
    const uri = this.place?.uri ?? vscode.window.activeTextEditor?.document.uri.toString();
    if (uri === undefined) throw new Error('no document is open');
    return await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  }

  private async pickFile(parameter: string): Promise<void> {
    const [uri] = (await vscode.window.showOpenDialog({ canSelectMany: false, title: parameter })) ?? [];
    if (uri === undefined) return;
    const { size } = await stat(uri.fsPath);
    if (size > largestFileBytes) {
      void vscode.window.showErrorMessage(
        t('{0} is too large: at most {1} MB are read.', basename(uri.fsPath), largestFileBytes / 2 ** 20),
      );
      return;
    }
    this.files.set(`${this.tool}.${parameter}`, await readFile(uri.fsPath, 'utf8'));
    this.post({ type: 'file', parameter, name: basename(uri.fsPath) });
  }

  /** All edits of a block as one step that can be undone; none when a place is not in the document word for word. */
  private async apply(index: number): Promise<void> {
    const { shown } = this;
    const block = shown?.result.blocks[index];
    if (shown === null || block?.kind !== 'edit') return;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(shown.uri));
    const ranges = block.edits.map((edit) => documentRange(shown.result.sourceMap, edit));
    if (document.version !== shown.version || ranges.includes(null)) {
      const why =
        document.version !== shown.version
          ? t('the document has changed since')
          : t('a changed place does not stand in the document word for word');
      void vscode.window.showWarningMessage(t('The edit was not made: {0}.', why));
      return;
    }
    const edit = new vscode.WorkspaceEdit();
    for (const [place, range] of ranges.entries()) {
      if (range === null) continue;
      const target = new vscode.Range(document.positionAt(range.start), document.positionAt(range.end));
      edit.replace(document.uri, target, block.edits[place]?.text ?? '');
    }
    await vscode.workspace.applyEdit(edit);
  }

  private follow(editor: vscode.TextEditor, selection: vscode.Selection | undefined): void {
    const { shown } = this;
    if (shown === null || selection === undefined || editor.document.uri.toString() !== shown.uri) return;
    const offset = editor.document.offsetAt(selection.active);
    const token = shown.result.tokens.findIndex((each) => {
      const range = each.start === each.end ? null : documentRange(shown.result.sourceMap, each);
      return range !== null && range.start <= offset && offset < range.end;
    });
    this.post({ type: 'cursor', token: token < 0 ? null : token });
  }

  private turnStale(): void {
    this.clearMarks();
    this.post({ type: 'stale' });
  }

  private clearMarks(): void {
    this.withEditor((editor) => this.marks.clear(editor));
  }

  private withEditor(use: (editor: vscode.TextEditor, result: ToolResult) => void): void {
    const { shown } = this;
    if (shown === null) return;
    for (const editor of vscode.window.visibleTextEditors) {
      const { uri, version } = editor.document;
      if (uri.toString() === shown.uri) use(editor, version === shown.version ? shown.result : { ...shown.result, tokens: [] });
    }
  }

  private fail(thrown: unknown): void {
    const error = toLoupeError(thrown);
    if (error.kind === 'cancelled') {
      this.post({ type: 'stopped' });
      return;
    }
    logError(this.log, error);
    this.post({ type: 'failed', code: error.code, message: errorText(error) });
  }

  private post(message: InsidePanelIn): void {
    if (this.panel === null || !this.ready) return;
    void this.panel.webview.postMessage(message);
  }
}

function promptOf(document: vscode.TextDocument, selection: vscode.Selection | null): PromptSource {
  const { promptMode } = readSettings(document.uri);
  return {
    text: document.getText(),
    uri: document.uri.toString(),
    format: detectFormat(document.uri.path, document.languageId),
    mode: promptMode,
    ...(selection === null
      ? {}
      : { selection: { start: document.offsetAt(selection.start), end: document.offsetAt(selection.end) } }),
  };
}
