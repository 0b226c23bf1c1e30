import * as vscode from 'vscode';
import { contextKeys } from './commandTable.ts';
import type { EngineService } from './engineService.ts';
import type { SessionStore } from './explain/sessionStore.ts';

/** Keeps the context keys in step with the active editor's session and the engine. */
export function contextKeysFollow(sessions: SessionStore, engine: EngineService): vscode.Disposable {
  const values = new Map<string, unknown>();
  const set = (key: string, value: unknown) => {
    if (values.get(key) === value) return;
    values.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  const update = () => {
    const uri = vscode.window.activeTextEditor?.document.uri.toString();
    const session = uri === undefined ? undefined : sessions.get(uri);
    set(contextKeys.hasExplanation, session?.explanation != null);
    set(contextKeys.comparing, session?.comparison != null);
    set(contextKeys.running, session?.run != null);
    set(contextKeys.engineState, engine.status.state);
  };
  update();
  return vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(update),
    new vscode.Disposable(sessions.onChange(update)),
    new vscode.Disposable(engine.onStatus(update)),
  );
}
