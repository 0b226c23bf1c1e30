import * as vscode from 'vscode';
import { outputUnwritable } from '../../shared/errorCatalog.ts';

/** Written beside the place first and moved there, so that it is whole or not there. @throws E_OUTPUT_UNWRITABLE */
export async function writeWhole(uri: vscode.Uri, bytes: Uint8Array): Promise<void> {
  const partial = uri.with({ path: `${uri.path}.partial` });
  try {
    await vscode.workspace.fs.writeFile(partial, bytes);
    await vscode.workspace.fs.rename(partial, uri, { overwrite: true });
  } catch (thrown) {
    throw outputUnwritable(uri.fsPath, thrown instanceof Error ? thrown.message : String(thrown));
  }
}
