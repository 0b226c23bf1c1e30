/** Choosing a model on a server: its address, and its key where it wants one. */
import * as vscode from 'vscode';
import { toLoupeError } from '../../shared/errors.ts';
import { isServerAddress, serverAddress } from '../../shared/serverAddress.ts';
import { t } from '../localise.ts';
import type { ServerAccess } from '../models/serverAccess.ts';

/** Null when the user goes away. @throws E_SERVER_UNTRUSTED before anything is asked */
export async function askServer(servers: ServerAccess): Promise<string | null> {
  servers.checked('http://localhost');
  const given = await vscode.window.showInputBox({
    title: t('Use a server'),
    prompt: t('Address of a llama-server or of vLLM. Prompts are sent there.'),
    placeHolder: 'http://localhost:8080',
    ignoreFocusOut: true,
    validateInput: problemOf,
  });
  return given === undefined ? null : servers.checked(given);
}

/** Uses a model; a server that wants another key is asked once more with the one that the user gives. Null when none is given. @throws as `use` */
export async function withServerKey<T>(servers: ServerAccess, model: string, use: () => Promise<T>): Promise<T | null> {
  try {
    return await use();
  } catch (error) {
    if (!isServerAddress(model) || toLoupeError(error).code !== 'E_SERVER_KEY') throw error;
    const key = await vscode.window.showInputBox({
      title: t('Use a server'),
      prompt: t('The server wants a key. It is kept in the editor’s own store of secrets.'),
      password: true,
      ignoreFocusOut: true,
    });
    if (key === undefined) return null;
    await servers.keepKey(model, key);
    return await use();
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
