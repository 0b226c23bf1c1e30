import * as vscode from 'vscode';
import type { Alignment } from '../overlay/alignment.ts';
import { tokenRanges } from './tokenRanges.ts';

/** Brings the first of these tokens into view, where it stands now; cursor, selection and focus stay. */
export async function revealTokens(
  document: vscode.TextDocument,
  alignment: Alignment,
  tokens: readonly number[],
): Promise<void> {
  const [first] = tokenRanges(alignment, tokens);
  if (first === undefined) return;
  const range = new vscode.Range(document.positionAt(first.start), document.positionAt(first.end));
  const visible = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
  const editor =
    visible ?? (await vscode.window.showTextDocument(document, { preserveFocus: true, viewColumn: vscode.ViewColumn.One }));
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
