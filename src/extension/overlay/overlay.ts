/** Draws the sessions' tints in every visible editor of their documents. */
import * as vscode from 'vscode';
import type { DocumentSession } from '../explain/session.ts';
import type { SessionStore } from '../explain/sessionStore.ts';
import { onSettingChange, readSettings } from '../settings.ts';
import { createDecorationTypes, type DecorationKey } from './decorationTypes.ts';
import { lineStarts, toLineRanges } from './linePositions.ts';
import { type OverlayStep, overlayRanges, weightRanges } from './overlayRanges.ts';
import type { TextRange } from '../../shared/tokens.ts';

export class Overlay implements vscode.Disposable {
  private readonly types = createDecorationTypes();
  private readonly drawn = new WeakSet<vscode.TextEditor>();
  /** While the panel's slider moves; null: the setting's. */
  private preview: number | null = null;
  private readonly disposables: vscode.Disposable[] = [];

  constructor(private readonly sessions: SessionStore) {
    const stop = sessions.onChange((session) => this.drawSession(session));
    this.disposables.push(
      new vscode.Disposable(stop),
      vscode.window.onDidChangeVisibleTextEditors(() => this.drawAll()),
      onSettingChange(['intensity'], () => this.previewIntensity(null)),
    );
  }

  /** Draws with another strength than the setting's, until that changes or the preview ends. */
  previewIntensity(intensity: number | null): void {
    this.preview = intensity;
    this.drawAll();
  }

  /** The ranges drawn in a document, for tests inside the editor. */
  rangesOf(session: DocumentSession): Map<OverlayStep, TextRange[]> {
    const { alignment, view, mirror, comparison } = session;
    if (alignment === null || view === null) return new Map();
    const intensity = this.preview ?? readSettings().intensity;
    if (mirror !== null) return weightRanges(mirror.weights, alignment, intensity);
    const { units, tokens } = view;
    const scores = comparison === null ? view.scores : [...comparison.scores];
    return overlayRanges({ units, tokens, scores }, alignment, { showHidden: session.choices.showHidden, intensity });
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
    for (const type of this.types.values()) type.dispose();
  }

  private drawAll(): void {
    for (const session of this.sessions.all()) this.drawSession(session);
  }

  private drawSession(session: DocumentSession): void {
    const editors = vscode.window.visibleTextEditors.filter((editor) => editor.document.uri.toString() === session.uri);
    const [first] = editors;
    if (first === undefined) return;
    if (session.view === null && !editors.some((editor) => this.drawn.has(editor))) return;
    const ranges = this.rangesOf(session);
    const starts = lineStarts(first.document.getText());
    const toRanges = (of: readonly TextRange[]) =>
      toLineRanges(starts, of).map((r) => new vscode.Range(r.startLine, r.startCharacter, r.endLine, r.endCharacter));
    const byKey = new Map<DecorationKey, vscode.Range[]>();
    for (const [step, of] of ranges) if (step !== 0) byKey.set(step, toRanges(of));
    if (isDoubtful(session)) byKey.set('doubtful', tinted(byKey));
    for (const editor of editors) {
      for (const [key, type] of this.types) editor.setDecorations(type, byKey.get(key) ?? []);
      this.drawn.add(editor);
    }
  }
}

/** Not final yet, or found no better than random: it must not look like a result to rely on. */
function isDoubtful({ stage, view, mirror, comparison }: DocumentSession): boolean {
  return mirror === null && comparison === null && (stage !== 'final' || view?.faithfulness?.verdict === 'untrusted');
}

function tinted(byKey: ReadonlyMap<DecorationKey, vscode.Range[]>): vscode.Range[] {
  return [...byKey].filter(([key]) => key !== 'stale').flatMap(([, ranges]) => ranges);
}
