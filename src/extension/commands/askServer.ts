/** Choosing a model on a server: its address, and its key where it wants one. */
import * as vscode from 'vscode';
import { toLoupeError } from '../../shared/errors.ts';
import type { ModelSummary } from '../../shared/protocol/engine.ts';
import { serverAddress } from '../../shared/serverAddress.ts';
import { t } from '../localise.ts';
import type { ServerAccess } from '../models/serverAccess.ts';

/** Null when the user goes away. @throws as `load`, and E_SERVER_UNTRUSTED before anything is asked */
export async function askServer(
  servers: ServerAccess,
  load: (address: string) => Promise<ModelSummary>,
): Promise<ModelSummary | null> {
  servers.checked('http://localhost');
  const given = await vscode.window.showInputBox({
    title: t('Use a server'),
    prompt: t('Address of a llama-server. Prompts are sent there.'),
    placeHolder: 'http://localhost:8080',
    ignoreFocusOut: true,
    validateInput: problemOf,
  });
  if (given === undefined) return null;
  const address = servers.checked(given);
  try {
    return await load(address);
  } catch (error) {
    if (toLoupeError(error).code !== 'E_SERVER_KEY') throw error;
    const key = await vscode.window.showInputBox({
      title: t('Use a server'),
      prompt: t('The server wants a key. It is kept in the editor’s own store of secrets.'),
      password: true,
      ignoreFocusOut: true,
    });
    if (key === undefined) return null;
    await servers.keepKey(address, key);
    return await load(address);
  }
}

function problemOf(text: string): string | null {
  try {
    serverAddress(text);
    return null;
  } catch (error) {
    return toLoupeError(error).parts.why;
  }
}
