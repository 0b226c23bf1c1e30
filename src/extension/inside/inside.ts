/** Looking inside: which tool runs on which prompt, what it gave, and how panel and editor point at each other. */
import * as vscode from 'vscode';
import { toLoupeError } from '../../shared/errors.ts';
import type { InsideDraft, InsidePanelOut, InsideSubject, ToolChoice } from '../../shared/protocol/insidePanel.ts';
import type { ToolParameter, ToolParameters, ToolResult } from '../../shared/protocol/tools.ts';
import type { TargetSpec } from '../../shared/target.ts';
import type { TextRange } from '../../shared/tokens.ts';
import type { EngineService } from '../engineService.ts';
import { errorText } from '../errorMessage.ts';
import type { Explainer } from '../explain/explainer.ts';
import { phaseText } from '../explain/phaseText.ts';
import { fileName } from '../explain/promptOf.ts';
import type { DocumentSession } from '../explain/session.ts';
import type { SessionStore } from '../explain/sessionStore.ts';
import { t, translateRendered } from '../localise.ts';
import { logError } from '../log.ts';
import type { ModelLoader } from '../models/modelLoader.ts';
import { entryAt } from '../overlay/alignment.ts';
import { InsidePanel } from '../panels/insidePanel.ts';
import { showError } from '../showError.ts';
import { applyBlock } from './applyBlock.ts';
import { exportResult } from './exportResult.ts';
import { InsideRun } from './insideRun.ts';
import { pickDocument } from './pickDocument.ts';
import { pickFile } from './pickFile.ts';
import { PromptMarks } from './promptMarks.ts';
import { translateWarnings } from '../renderedTexts.ts';
import { revealTokens } from './revealTokens.ts';
import { toolChoices } from './toolChoices.ts';
import { type PickedFile, runsAsItIs, toolValues } from './toolValues.ts';
import { translateBlock } from './translateBlock.ts';

interface Subject {
  readonly uri: string;
  readonly selection: TextRange | null;
}

export class Inside implements vscode.Disposable {
  readonly panel: InsidePanel;
  private readonly marks = new PromptMarks();
  private choices: readonly ToolChoice[] = [];
  /** The model that `choices` were told for. */
  private choicesOf: string | null = null;
  private selected = '';
  private files = new Map<string, PickedFile>();
  private draft: InsideDraft | null = null;
  private subject: Subject | null = null;
  private sentSubject = '';
  private running: InsideRun | null = null;
  /** The run whose result is shown. */
  private shown: InsideRun | null = null;
  private failure: { readonly code: string; readonly message: string } | null = null;
  private highlighted: number | null = null;
  private drawn: number | null = null;
  private readonly disposables: vscode.Disposable[];

  constructor(
    extensionUri: vscode.Uri,
    private readonly engine: EngineService,
    private readonly models: ModelLoader,
    private readonly explainer: Explainer,
    private readonly sessions: SessionStore,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.panel = new InsidePanel(
      extensionUri,
      log,
      (message) => void this.act(message).catch((thrown: unknown) => showError(log, thrown)),
      () => this.close(),
    );
    this.disposables = [
      this.panel,
      this.marks,
      vscode.window.onDidChangeActiveTextEditor((editor) => this.follow(editor)),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.cursorMoved(textEditor)),
      vscode.workspace.onDidChangeTextDocument((event) => this.edited(event)),
      new vscode.Disposable(sessions.onChange(() => this.sendSubject())),
      new vscode.Disposable(engine.onStatus(({ model }) => this.modelChanged(model?.file ?? null))),
    ];
  }

  /** The tools for the loaded model; the engine is started for them. */
  async tools(): Promise<readonly ToolChoice[]> {
    const descriptions = await this.engine.tools();
    const { model } = this.engine.status;
    this.choicesOf = model?.file ?? null;
    this.choices = toolChoices(descriptions, model?.name ?? null, t);
    this.sendTools();
    return this.choices;
  }

  /** Opens the panel with a tool on a prompt, and runs it where it needs nothing more. Null: it waits, failed, or was cancelled. */
  async open(tool: ToolChoice, document: vscode.TextDocument, selection: TextRange | null): Promise<ToolResult | null> {
    this.subject = { uri: document.uri.toString(), selection };
    this.select(tool.id);
    this.panel.show();
    this.sendSubject();
    return runsAsItIs(tool) ? this.run(tool.id, {}, null) : null;
  }

  dispose(): void {
    this.running?.controller.abort();
    for (const disposable of this.disposables) disposable.dispose();
  }

  /** Does what the page asks. */
  async act(message: InsidePanelOut): Promise<void> {
    switch (message.type) {
      case 'ready':
        return this.sendAll();
      case 'selectTool':
        return this.select(message.tool);
      case 'draft':
        this.draft = message.draft;
        return;
      case 'run':
        await this.run(message.tool, message.parameters, message.target);
        return;
      case 'cancel':
        this.running?.controller.abort();
        return;
      case 'pickFile':
        return this.chooseFile(message.parameter);
      case 'pickDocument':
        return this.chooseDocument(message.parameter);
      case 'markTokens':
        return this.marks.mark(message.tokens);
      case 'revealTokens':
        if (this.shown?.alignment != null) await revealTokens(this.shown.document, this.shown.alignment, message.tokens);
        return;
      case 'drawScores':
        return this.drawScores(message.block);
      case 'applyEdit':
        return applyBlock(this.shown, message.block);
      case 'export':
        if (this.shown?.result != null) await exportResult(this.shown.result, message.block, this.shown.document.uri);
    }
  }

  private async run(tool: string, given: ToolParameters, target: TargetSpec | null): Promise<ToolResult | null> {
    const { subject } = this;
    const choice = this.choices.find(({ id }) => id === tool);
    if (subject === null || choice === undefined) {
      this.panel.post({ type: 'idle' });
      return null;
    }
    this.running?.controller.abort();
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(subject.uri));
    const { selection } = subject;
    const parameters = toolValues(choice, given, this.files);
    const run = new InsideRun({ document, selection, tool, label: choice.label, parameters, target });
    this.running = run;
    this.failure = null;
    const report = (phase: string, done: number, total: number) => {
      if (this.running === run) this.panel.post({ type: 'progress', phase: phaseText(phase, t), done, total });
    };
    report(t('waiting'), 0, 0);
    try {
      const result = await run.ask(this.engine, this.models, this.explainer, report);
      if (this.running !== run) return null;
      this.running = null;
      this.show(run);
      return result;
    } catch (thrown) {
      const error = logError(this.log, toLoupeError(thrown));
      // A run that a newer one has overtaken is no news.
      if (this.running !== run) return null;
      this.running = null;
      this.failure = { code: error.code, message: errorText(error) };
      this.panel.post({ type: 'failed', ...this.failure });
      return null;
    }
  }

  private show(run: InsideRun): void {
    if (this.drawn !== null) this.drawScores(null);
    this.shown = run;
    this.highlighted = null;
    this.drawn = null;
    if (run.alignment !== null) this.marks.begin(run.uri, run.alignment);
    this.sendResult();
  }

  private select(tool: string): void {
    if (tool === this.selected) return this.sendTools();
    this.selected = tool;
    this.files = new Map();
    this.draft = null;
    this.sendTools();
  }

  private async chooseFile(parameter: string): Promise<void> {
    const wanted = this.parameterOf('file', parameter);
    if (wanted === undefined) return;
    const tool = this.selected;
    const file = await pickFile(wanted.label);
    if (file === null || tool !== this.selected) return;
    this.files.set(parameter, file);
    this.panel.post({ type: 'file', parameter, name: file.name });
  }

  private async chooseDocument(parameter: string): Promise<void> {
    const wanted = this.parameterOf('prompt', parameter);
    if (wanted === undefined) return;
    const tool = this.selected;
    const text = await pickDocument(wanted.label, this.subject?.uri ?? null);
    if (text !== null && tool === this.selected) this.panel.post({ type: 'text', parameter, text });
  }

  private parameterOf(wanted: 'file' | 'prompt', parameter: string): ToolParameter | undefined {
    const tool = this.choices.find(({ id }) => id === this.selected);
    return tool?.parameters.find(({ id, kind }) => id === parameter && kind === wanted);
  }

  private drawScores(index: number | null): void {
    const block = index === null ? undefined : this.shown?.result?.blocks[index];
    this.drawn = block?.kind === 'prompt' ? index : null;
    const scores = block?.kind === 'prompt' ? block.scores : null;
    const session = this.explainedHere();
    // Where Explain has tints on this very prompt they give way, as they do to a head's attention.
    session?.setMirror(scores === null ? null : { token: 0, weights: scores });
    this.marks.drawScores(session === null ? scores : null);
    this.panel.post({ type: 'drawn', block: this.drawn });
  }

  /** The session that has an explanation of the prompt the result is about. */
  private explainedHere(): DocumentSession | null {
    const result = this.shown?.result;
    const session = this.shown === null ? undefined : this.sessions.get(this.shown.uri);
    if (result == null || session?.view == null) return null;
    const { prompt, tokens } = session.view;
    return prompt.text === result.promptText && tokens.length === result.tokens.length ? session : null;
  }

  private follow(editor: vscode.TextEditor | undefined): void {
    if (!this.panel.isOpen || editor === undefined || editor.document.uri.scheme === 'output') return;
    this.subject = { uri: editor.document.uri.toString(), selection: selectionOf(editor) };
    this.sendSubject();
  }

  private cursorMoved(editor: vscode.TextEditor): void {
    if (!this.panel.isOpen) return;
    const uri = editor.document.uri.toString();
    if (uri === this.subject?.uri) {
      this.subject = { uri, selection: selectionOf(editor) };
      this.sendSubject();
    }
    if (uri !== this.shown?.uri || this.shown.alignment === null) return;
    const { alignment } = this.shown;
    const entry = entryAt(alignment, editor.document.offsetAt(editor.selection.start));
    const token = entry < 0 ? null : (alignment.token[entry] ?? null);
    if (token === this.highlighted) return;
    this.highlighted = token;
    this.panel.post({ type: 'highlight', token });
  }

  private edited({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (contentChanges.length === 0) return;
    const uri = document.uri.toString();
    const changes = contentChanges.map(({ rangeOffset, rangeLength, text }) => ({
      offset: rangeOffset,
      deleted: rangeLength,
      inserted: text,
    }));
    for (const run of [this.running, this.shown]) {
      if (run?.uri !== uri) continue;
      const before = run.isStale;
      run.edit(changes);
      if (run !== this.shown) continue;
      if (run.alignment !== null) this.marks.align(run.alignment);
      if (before !== run.isStale) this.panel.post({ type: 'stale', stale: run.isStale });
    }
  }

  private modelChanged(file: string | null): void {
    if (!this.panel.isOpen || file === null || file === this.choicesOf) return;
    this.choicesOf = file;
    this.tools().catch((thrown: unknown) => logError(this.log, thrown));
  }

  private sendAll(): void {
    this.sentSubject = '';
    this.sendTools();
    this.sendSubject();
    if (this.draft !== null) this.panel.post({ type: 'draft', draft: this.draft });
    for (const [parameter, { name }] of this.files) this.panel.post({ type: 'file', parameter, name });
    this.sendResult();
    if (this.running !== null) this.panel.post({ type: 'progress', phase: t('waiting'), done: 0, total: 0 });
    else if (this.failure !== null) this.panel.post({ type: 'failed', ...this.failure });
  }

  private sendTools(): void {
    this.panel.post({ type: 'tools', tools: this.choices, selected: this.selected });
  }

  private sendSubject(): void {
    if (!this.panel.isReady) return;
    const { subject } = this;
    const session = subject === null ? undefined : this.sessions.get(subject.uri);
    const explained =
      session?.explanation == null || session.target === null
        ? null
        : { target: session.target, label: session.explanation.target.label };
    const message: InsideSubject | null =
      subject === null ? null : { document: fileName(subject.uri), selection: subject.selection !== null, explained };
    const news = JSON.stringify(message);
    if (news === this.sentSubject) return;
    this.sentSubject = news;
    this.panel.post({ type: 'subject', subject: message });
  }

  private sendResult(): void {
    const run = this.shown;
    if (run?.result == null) return;
    const { tool, label, parameters, blocks, tokens, promptText, cost, warnings } = run.result;
    const shown = blocks.map((block) => translateBlock(block, translateRendered));
    const told = translateWarnings(warnings, translateRendered);
    const result = { tool, label: t(label), parameters, blocks: shown, tokens, promptText, cost, warnings: told };
    this.panel.post({ type: 'result', result, document: fileName(run.uri) });
    this.panel.post({ type: 'stale', stale: run.isStale });
    this.panel.post({ type: 'drawn', block: this.drawn });
  }

  private close(): void {
    this.running?.controller.abort();
    this.running = null;
    if (this.drawn !== null) this.drawScores(null);
    this.shown = null;
    this.failure = null;
    this.marks.clear();
  }
}

function selectionOf({ document, selection }: vscode.TextEditor): TextRange | null {
  return selection.isEmpty ? null : { start: document.offsetAt(selection.start), end: document.offsetAt(selection.end) };
}
