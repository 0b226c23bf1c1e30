/** What the checks do with the editor: open a prompt, run commands, wait for a state without polling. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ExtensionApi, SessionSnapshot } from '../../../src/extension/extensionApi.ts';

export const extensionId = 'prompt-loupe.prompt-loupe';

export async function activateExtension(): Promise<ExtensionApi> {
  const extension = vscode.extensions.getExtension<ExtensionApi>(extensionId);
  if (extension === undefined) throw new Error(`the extension ${extensionId} is not installed`);
  return extension.activate();
}

let opened = 0;

/**
 * A new document with this text, in the first column. Each has a name of its own: the editor gives the name of an untitled document to
 * the next one before everybody has heard that the first was closed.
 */
export async function openPrompt(content: string): Promise<vscode.TextEditor> {
  opened += 1;
  const uri = vscode.Uri.from({ scheme: 'untitled', path: path.join(tmpdir(), `prompt-loupe-${process.pid}-${opened}.txt`) });
  const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), vscode.ViewColumn.One);
  await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), content), { undoStopBefore: false, undoStopAfter: true });
  editor.selection = new vscode.Selection(0, 0, 0, 0);
  return editor;
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

/** Resolves with the first snapshot of the document's session that fits; told by events, not by asking again and again. */
export function sessionThat(
  api: ExtensionApi,
  uri: string,
  fits: (session: SessionSnapshot) => boolean,
): Promise<SessionSnapshot> {
  return new Promise((resolve) => {
    const look = (): boolean => {
      const session = api.session(uri);
      if (session === null || !fits(session)) return false;
      resolve(session);
      return true;
    };
    if (look()) return;
    const stop = api.onSessionChange((changed) => {
      if (changed === uri && look()) stop();
    });
  });
}

/** The drawn text, by step. */
export function drawnText(session: SessionSnapshot, document: vscode.TextDocument): Map<string, string[]> {
  const text = document.getText();
  return new Map(
    [...session.overlay].map(([step, ranges]) => [String(step), ranges.map(({ start, end }) => text.slice(start, end))]),
  );
}

/** Looks again after each turn of the event loop; the check's own deadline ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
