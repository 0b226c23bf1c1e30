/** A file the user names for a parameter of a tool. */
import * as vscode from 'vscode';
import { toolParameter } from '../../shared/toolErrors.ts';
import { t } from '../localise.ts';
import type { PickedFile } from './toolValues.ts';

/** More is no list of cases and no corpus for one run. */
const largestFile = 20_000_000;

/** Null when the user leaves. @throws E_TOOL_PARAMETER for a file that is too large or no UTF-8 text. */
export async function pickFile(label: string): Promise<PickedFile | null> {
  const [uri] = (await vscode.window.showOpenDialog({ title: label, canSelectMany: false })) ?? [];
  if (uri === undefined) return null;
  const name = uri.path.split('/').at(-1) ?? '';
  const refuse = (why: string) => toolParameter(name, label, why, t('choose a text file of up to {0} MB', largestFile / 1e6));
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size > largestFile) throw refuse(t('the file has {0} bytes', size));
  const bytes = await vscode.workspace.fs.readFile(uri);
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw refuse(t('the file is not UTF-8 text'));
  }
}
