/** What the Inside panel draws on the prompt in the editor: the tokens that are pointed at, and the scores of one block. */
import * as vscode from 'vscode';
import type { TextRange } from '../../shared/tokens.ts';
import type { Alignment } from '../overlay/alignment.ts';
import { createDecorationTypes } from '../overlay/decorationTypes.ts';
import { weightRanges } from '../overlay/overlayRanges.ts';
import { readSettings } from '../settings.ts';
import { tokenRanges } from './tokenRanges.ts';

export class PromptMarks implements vscode.Disposable {
  private readonly pointed = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor('editor.findMatchHighlightBackground'),
    outline: '1px solid',
    borderColor: new vscode.ThemeColor('focusBorder'),
    border: '1px solid',
    overviewRulerColor: new vscode.ThemeColor('focusBorder'),
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
  private readonly tints = createDecorationTypes();
  private place: { readonly uri: string; alignment: Alignment } | null = null;
  private tokens: readonly number[] = [];
  private scores: Float32Array | null = null;
  private readonly watch = vscode.window.onDidChangeVisibleTextEditors(() => this.draw());

  /** Begins on the prompt of another result; nothing is marked on it yet. */
  begin(uri: string, alignment: Alignment): void {
    this.clear();
    this.place = { uri, alignment };
  }

  /** Follows an edit; the editor itself moves what is drawn. */
  align(alignment: Alignment): void {
    if (this.place !== null) this.place.alignment = alignment;
  }

  mark(tokens: readonly number[]): void {
    this.tokens = tokens;
    this.draw();
  }

  /** One signed score a token; null takes them away. */
  drawScores(scores: Float32Array | null): void {
    this.scores = scores;
    this.draw();
  }

  clear(): void {
    this.tokens = [];
    this.scores = null;
    this.draw();
    this.place = null;
  }

  dispose(): void {
    this.watch.dispose();
    this.pointed.dispose();
    for (const type of this.tints.values()) type.dispose();
  }

  private draw(): void {
    const { place } = this;
    if (place === null) return;
    const tints = this.scores === null ? null : weightRanges(this.scores, place.alignment, readSettings().intensity);
    for (const editor of vscode.window.visibleTextEditors) {
      const { document } = editor;
      if (document.uri.toString() !== place.uri) continue;
      const inDocument = (ranges: readonly TextRange[]) =>
        ranges.map(({ start, end }) => new vscode.Range(document.positionAt(start), document.positionAt(end)));
      editor.setDecorations(this.pointed, inDocument(tokenRanges(place.alignment, this.tokens)));
      for (const [key, type] of this.tints)
        editor.setDecorations(type, key === 'doubtful' ? [] : inDocument(tints?.get(key) ?? []));
    }
  }
}
