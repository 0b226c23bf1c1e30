/** Tells panel and view which unit and token the cursor of the followed document is on. */
import * as vscode from 'vscode';
import { entryAt } from '../overlay/alignment.ts';
import { unitOfToken } from '../overlay/overlayRanges.ts';
import type { AttentionView } from '../panels/attentionView.ts';
import type { ExplainPanel } from '../panels/explainPanel.ts';
import type { ActiveDocument } from './activeDocument.ts';

export function followCursor(active: ActiveDocument, panel: ExplainPanel, attention: AttentionView): vscode.Disposable {
  return vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
    const { session } = active;
    if (session === undefined || textEditor.document.uri.toString() !== session.uri) return;
    const { view, alignment } = session;
    if (view === null || alignment === null) return;
    const entry = entryAt(alignment, textEditor.document.offsetAt(textEditor.selection.start));
    const token = entry < 0 ? null : (alignment.token[entry] ?? null);
    const unit = token === null ? -1 : (unitOfToken(view)[token] ?? -1);
    panel.highlight(unit < 0 ? null : unit);
    attention.highlight(token);
  });
}
