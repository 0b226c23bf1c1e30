/** What the Inside panel draws in the editor: tokens that are pointed at, and the scores of a block. */
import * as vscode from 'vscode';
import { paletteStep } from '../../shared/colourScale.ts';
import type { PromptBlock } from '../../shared/inspection/blocks.ts';
import type { ToolResult } from '../../shared/protocol/tools.ts';
import { createDecorationTypes, type DecorationKey } from '../overlay/decorationTypes.ts';
import { documentRange } from './documentRange.ts';

export class InsideMarks implements vscode.Disposable {
  private readonly tints = createDecorationTypes();
  private readonly pointed = vscode.window.createTextEditorDecorationType({
    border: '1px solid',
    borderColor: new vscode.ThemeColor('focusBorder'),
    backgroundColor: new vscode.ThemeColor('editor.findMatchHighlightBackground'),
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });

  /** Marks tokens of the result's prompt; null: none. */
  point(editor: vscode.TextEditor, result: ToolResult, tokens: readonly number[] | null): void {
    editor.setDecorations(this.pointed, this.ranges(editor, result, tokens ?? []));
  }

  draw(editor: vscode.TextEditor, result: ToolResult, block: PromptBlock | null): void {
    const byKey = new Map<DecorationKey, number[]>();
    const scores = block?.scores ?? new Float32Array(0);
    const largest = scores.reduce((most, score) => Math.max(most, Math.abs(score)), 0);
    for (const [token, score] of scores.entries()) {
      const step = paletteStep(score, largest);
      if (step === 0) continue;
      const known = byKey.get(step);
      if (known === undefined) byKey.set(step, [token]);
      else known.push(token);
    }
    for (const [key, type] of this.tints) editor.setDecorations(type, this.ranges(editor, result, byKey.get(key) ?? []));
  }

  clear(editor: vscode.TextEditor): void {
    editor.setDecorations(this.pointed, []);
    for (const type of this.tints.values()) editor.setDecorations(type, []);
  }

  dispose(): void {
    this.pointed.dispose();
    for (const type of this.tints.values()) type.dispose();
  }

  private ranges({ document }: vscode.TextEditor, { tokens, sourceMap }: ToolResult, indices: readonly number[]): vscode.Range[] {
    return indices.flatMap((index) => {
      const token = tokens[index];
      const range = token === undefined || token.start === token.end ? null : documentRange(sourceMap, token);
      return range === null ? [] : [new vscode.Range(document.positionAt(range.start), document.positionAt(range.end))];
    });
  }
}
