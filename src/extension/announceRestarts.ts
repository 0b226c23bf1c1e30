import * as vscode from 'vscode';
import { commandTable } from './commandTable.ts';
import type { EngineClient } from './engine/engineClient.ts';
import { t } from './localise.ts';
import { logError } from './log.ts';

/** Says when the engine died and was started again. What was drawn stays; the interrupted request is repeated. */
export function announceRestarts(engine: EngineClient, log: vscode.LogOutputChannel): vscode.Disposable {
  return new vscode.Disposable(
    engine.onRestart((reason) => {
      logError(log, reason);
      const showLog = t('Show Log');
      void vscode.window
        .showWarningMessage(t('The engine stopped and was started again. What you see in the editor is kept.'), showLog)
        .then((picked) => (picked === showLog ? vscode.commands.executeCommand(commandTable.showLog.id) : undefined));
    }),
  );
}
