import * as vscode from 'vscode';
import { contextKeys } from './commandTable.ts';
import type { EngineService } from './engineService.ts';
import type { ActiveDocument } from './explain/activeDocument.ts';
import type { SessionStore } from './explain/sessionStore.ts';

/** Keeps the context keys in step with the session that commands act on and the engine. */
export function contextKeysFollow(sessions: SessionStore, active: ActiveDocument, engine: EngineService): vscode.Disposable {
  const values = new Map<string, unknown>();
  const set = (key: string, value: unknown) => {
    if (values.get(key) === value) return;
    values.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  const update = () => {
    const uri = vscode.window.activeTextEditor?.document.uri.toString();
    // No text editor is active while the panel has the focus: what it shows is meant then.
    const session = uri === undefined ? active.session : sessions.get(uri);
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
