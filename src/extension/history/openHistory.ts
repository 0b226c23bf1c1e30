/** Shows an old explanation as it was: on its document where that still has the text, else on a read-only copy of it. */
import * as vscode from 'vscode';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import type { Explainer } from '../explain/explainer.ts';
import type { ExplainPanel } from '../panels/explainPanel.ts';
import type { HistoryEntry } from './historyEntry.ts';
import type { HistoryItem, HistoryStore } from './historyStore.ts';

const scheme = 'prompt-loupe-history';

/** Serves the texts of old prompts as read-only documents. */
export function serveOldPrompts(store: HistoryStore): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: async (uri) =>
      (await store.list()).find(({ name }) => name === uri.query)?.entry?.prompt.text ?? null,
  });
}

export async function openHistory(
  { name, entry }: HistoryItem,
  explainer: Explainer,
  active: ActiveDocument,
  panel: ExplainPanel,
): Promise<void> {
  if (entry === null) return;
  const document = (await unchangedDocument(entry)) ?? (await vscode.workspace.openTextDocument(copyUri(name, entry)));
  await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
  explainer.session(document).show(entry.prompt, entry.target, entry.explanation);
  active.follow(document.uri.toString());
  panel.show();
}

/** The document that was explained, if it is there and reads as it did. */
async function unchangedDocument({ prompt }: HistoryEntry): Promise<vscode.TextDocument | null> {
  if (prompt.uri === undefined) return null;
  const uri = vscode.Uri.parse(prompt.uri);
  const isOpen = vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
  // Opening an untitled document that is closed would make an empty one.
  if (!isOpen && uri.scheme === 'untitled') return null;
  try {
    const document = await vscode.workspace.openTextDocument(uri);
    return document.getText() === prompt.text ? document : null;
  } catch {
    // Gone, or no text any more: the copy stands in for it.
    return null;
  }
}

function copyUri(name: string, { prompt }: HistoryEntry): vscode.Uri {
  const file = prompt.uri === undefined ? 'prompt.txt' : (vscode.Uri.parse(prompt.uri).path.split('/').at(-1) ?? 'prompt.txt');
  return vscode.Uri.from({ scheme, path: `/${file}`, query: name });
}
