/** All commands: what each does is in one of the files beside this one. */
import * as vscode from 'vscode';
import { viewIds } from '../commandTable.ts';
import type { EngineService } from '../engineService.ts';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import type { Explainer } from '../explain/explainer.ts';
import type { MethodCatalog } from '../explain/methodCatalog.ts';
import type { HistoryStore } from '../history/historyStore.ts';
import { t } from '../localise.ts';
import type { ModelLoader } from '../models/modelLoader.ts';
import type { Inside } from '../inside/inside.ts';
import type { ModelsView } from '../models/modelsView.ts';
import type { ServerAccess } from '../models/serverAccess.ts';
import type { ServerMemory } from '../models/serverMemory.ts';
import type { ExplainPanel } from '../panels/explainPanel.ts';
import type { FoundModel } from '../../shared/protocol/engine.ts';
import type { Comparer } from '../explain/comparer.ts';
import { compareCommands } from './compareCommands.ts';
import { historyCommands } from './historyCommands.ts';
import { explainCommands } from './explainCommands.ts';
import { insideCommands } from './insideCommands.ts';
import { modelCommands } from './modelCommands.ts';
import type { CommandHandlers } from './registerCommands.ts';

export interface CommandParts {
  readonly engine: EngineService;
  readonly models: ModelLoader;
  readonly servers: ServerAccess;
  readonly serverMemory: ServerMemory;
  readonly modelsView: ModelsView;
  readonly find: () => Promise<readonly FoundModel[]>;
  readonly methods: MethodCatalog;
  readonly explainer: Explainer;
  readonly comparer: Comparer;
  readonly history: HistoryStore;
  readonly active: ActiveDocument;
  readonly panel: ExplainPanel;
  readonly inside: Inside;
  readonly log: vscode.LogOutputChannel;
}

export function commandHandlers(parts: CommandParts): CommandHandlers {
  const { engine, models, servers, serverMemory, modelsView, find, methods, explainer } = parts;
  const { comparer, history, active, panel, inside, log } = parts;
  return {
    ...explainCommands(explainer, active, panel, engine, models, methods),
    ...insideCommands(inside, active),
    ...compareCommands(comparer, active, methods, engine, history, find, servers),
    ...historyCommands(history, explainer, active, panel),
    ...modelCommands(models, servers, serverMemory, modelsView, find),
    showPanel: () => panel.show(),
    showAttention: () => vscode.commands.executeCommand(`${viewIds.attention}.focus`),
    restartEngine: () =>
      vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: t('Restarting the engine') }, () =>
        engine.restart(),
      ),
    showLog: () => log.show(true),
    openWalkthrough: () =>
      vscode.commands.executeCommand(
        'workbench.action.openWalkthrough',
        `prompt-loupe.prompt-loupe#${viewIds.walkthrough}`,
        false,
      ),
  };
}
