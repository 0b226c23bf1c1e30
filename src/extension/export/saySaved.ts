import * as vscode from 'vscode';
import { t } from '../localise.ts';

/** Says that a file was saved, and offers to open it; nobody waits for the answer. */
export function saySaved(uri: vscode.Uri): void {
  const open = t('Open');
  void vscode.window
    .showInformationMessage(t('Saved {0}.', vscode.workspace.asRelativePath(uri)), open)
    .then((picked) => (picked === open ? vscode.commands.executeCommand('vscode.open', uri) : undefined));
}
