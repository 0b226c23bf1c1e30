import * as vscode from 'vscode';
import { commandTable } from './commandTable.ts';
import type { EngineService } from './engineService.ts';
import { engineStatusText } from './engineStatusText.ts';
import type { ActiveDocument } from './explain/activeDocument.ts';
import { t } from './localise.ts';

/** Engine state, model and queue, always in sight; a click picks a model, or restarts an engine that failed. */
export function createStatusBar(engine: EngineService, active: ActiveDocument): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('promptLoupe.engine', vscode.StatusBarAlignment.Right, 90);
  item.name = 'Prompt Loupe';
  const update = () => {
    const session = active.session;
    const run =
      session?.run == null
        ? null
        : {
            stage: session.prompt === session.run.question.prompt ? session.stage : null,
            phase: session.progress?.phase ?? null,
            done: session.progress?.done ?? 0,
            total: session.progress?.total ?? 0,
          };
    const { text, tooltip, failed } = engineStatusText(engine.status, run, t);
    item.text = text;
    item.tooltip = tooltip;
    item.command = failed ? commandTable.restartEngine.id : commandTable.pickModel.id;
    if (failed) item.backgroundColor = new vscode.ThemeColor('statusBarItem.errorBackground');
    else item.backgroundColor = undefined;
  };
  update();
  item.show();
  return vscode.Disposable.from(item, new vscode.Disposable(engine.onStatus(update)), active.onChange(update));
}
