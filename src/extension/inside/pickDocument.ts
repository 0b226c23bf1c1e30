/** Another prompt for a tool: the text of a document that is open, or of a file. */
import * as vscode from 'vscode';
import { t } from '../localise.ts';
import { pickFile } from './pickFile.ts';

type DocumentItem = vscode.QuickPickItem & { readonly document: vscode.TextDocument | null };

/** Null when the user leaves. `except`: the prompt itself. @throws as `pickFile` */
export async function pickDocument(label: string, except: string | null): Promise<string | null> {
  const open = vscode.workspace.textDocuments.filter(
    ({ uri }) => ['file', 'untitled', 'vscode-remote', 'vscode-vfs'].includes(uri.scheme) && uri.toString() !== except,
  );
  const items: DocumentItem[] = open.map((document) => ({
    label: document.uri.path.split('/').at(-1) ?? '',
    description: vscode.workspace.asRelativePath(document.uri),
    document,
  }));
  const file: DocumentItem = { label: t('A file …'), document: null };
  const picked = open.length === 0 ? file : await vscode.window.showQuickPick([...items, file], { title: label });
  if (picked === undefined) return null;
  return picked.document === null ? ((await pickFile(label))?.text ?? null) : picked.document.getText();
}
