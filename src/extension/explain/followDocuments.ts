/** Keeps the sessions in step with the documents: edits move them, closing ends them. */
import * as vscode from 'vscode';
import type { SessionStore } from './sessionStore.ts';

export function followDocuments(sessions: SessionStore): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      const changes = contentChanges.map(({ rangeOffset, rangeLength, text }) => ({
        offset: rangeOffset,
        deleted: rangeLength,
        inserted: text,
      }));
      sessions.get(document.uri.toString())?.edit(changes, () => document.getText());
    }),
    vscode.workspace.onDidCloseTextDocument((document) => {
      const uri = document.uri.toString();
      // Changing a document's language closes and opens it in one go; it is still there then.
      const stillOpen = vscode.workspace.textDocuments.some((open) => open.uri.toString() === uri);
      if (!stillOpen) sessions.close(uri);
    }),
  );
}
