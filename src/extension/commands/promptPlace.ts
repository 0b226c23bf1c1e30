/** Which prompt a command is about. */
import * as vscode from 'vscode';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import { t } from '../localise.ts';

export interface PromptPlace {
  readonly document: vscode.TextDocument;
  /** Offsets of a selection that is not empty. */
  readonly selection: { readonly start: number; readonly end: number } | null;
}

/**
 * The document a menu names, the one in the active editor with its selection, or (when a panel has the focus) the one that
 * is followed, with the part that was explained.
 */
export async function promptPlace(argument: unknown, followed: ActiveDocument): Promise<PromptPlace | null> {
  const editor = vscode.window.activeTextEditor;
  const uri = argument instanceof vscode.Uri ? argument : null;
  if (uri !== null && uri.toString() !== editor?.document.uri.toString()) {
    const { document } = await vscode.window.showTextDocument(uri);
    return { document, selection: null };
  }
  if (editor === undefined) {
    const { session } = followed;
    if (session === undefined) return null;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(session.uri));
    return { document, selection: session.choices.selection };
  }
  const { document, selection } = editor;
  if (selection.isEmpty) return { document, selection: null };
  return { document, selection: { start: document.offsetAt(selection.start), end: document.offsetAt(selection.end) } };
}

export function sayNothingOpen(): null {
  void vscode.window.showInformationMessage(t('Open a prompt in the editor first.'));
  return null;
}
