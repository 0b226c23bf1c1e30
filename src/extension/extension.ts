/** Where the extension starts: one line a concern, each in its own file. */
import * as vscode from 'vscode';
import { contextKeysFollow } from './contextKeys.ts';
import { commandHandlers } from './commands/commandHandlers.ts';
import { registerCommands } from './commands/registerCommands.ts';
import { EngineClient } from './engine/engineClient.ts';
import { announceRestarts } from './announceRestarts.ts';
import { ActiveDocument } from './explain/activeDocument.ts';
import { Comparer } from './explain/comparer.ts';
import { Explainer } from './explain/explainer.ts';
import { followCursor } from './explain/followCursor.ts';
import { followDocuments } from './explain/followDocuments.ts';
import { MethodCatalog } from './explain/methodCatalog.ts';
import { followSettings } from './explain/followSettings.ts';
import { SessionStore } from './explain/sessionStore.ts';
import { createExtensionApi, type ExtensionApi } from './extensionApi.ts';
import { HistoryStore } from './history/historyStore.ts';
import { HistoryView } from './history/historyView.ts';
import { serveOldPrompts } from './history/openHistory.ts';
import { Inside } from './inside/inside.ts';
import { createLog, logError } from './log.ts';
import { findBundledModel } from './models/bundledModel.ts';
import { ModelLoader } from './models/modelLoader.ts';
import { ModelsView } from './models/modelsView.ts';
import { ServerAccess } from './models/serverAccess.ts';
import { ServerMemory } from './models/serverMemory.ts';
import { Overlay } from './overlay/overlay.ts';
import { registerHovers } from './overlay/hovers.ts';
import { AttentionView } from './panels/attentionView.ts';
import { ExplainPanel } from './panels/explainPanel.ts';
import { actOnPanel } from './panels/panelActions.ts';
import { onSettingChange, readSettings } from './settings.ts';
import { showError } from './showError.ts';
import { createStatusBar } from './statusBar.ts';

let engine: EngineClient | null = null;

export function activate(context: vscode.ExtensionContext): ExtensionApi {
  const log = createLog();
  engine = createEngine(context, log);
  const client = engine;
  const bundled = findBundledModel(context.extensionPath);
  const isTrusted = () => vscode.workspace.isTrusted;
  const servers = new ServerAccess(context.secrets, isTrusted);
  const serverMemory: ServerMemory = new ServerMemory(context.globalState, isTrusted, () => modelsView.refresh());
  const models = new ModelLoader(
    client,
    () => readSettings(),
    () => bundled?.file ?? null,
    servers,
    serverMemory,
  );
  const find = async () => [...(await client.listModels(readSettings().modelFolders)), ...serverMemory.list()];
  const sessions = new SessionStore();
  const active = new ActiveDocument(sessions);
  const methods = new MethodCatalog(client);
  const history = new HistoryStore(vscode.Uri.joinPath(context.globalStorageUri, 'history').fsPath);
  const explainer = new Explainer(client, models, sessions, active, methods, history, log);
  const comparer = new Comparer(client, models, methods);
  const overlay = new Overlay(sessions);
  const panel: ExplainPanel = new ExplainPanel(context.extensionUri, active, client, methods, log, (message) => {
    actOnPanel(message, active, explainer, client, overlay, (svg) => panel.draw(svg)).catch((thrown: unknown) =>
      showError(log, thrown),
    );
  });
  const attention = new AttentionView(context.extensionUri, client, active, log, (signal) => models.ensureLoaded({ signal }));
  const inside = new Inside(context.extensionUri, client, models, explainer, sessions, log);
  const modelsView = new ModelsView(client, find);
  const historyView = new HistoryView(history, methods);

  context.subscriptions.push(
    log,
    sessions,
    active,
    overlay,
    panel,
    attention,
    inside,
    modelsView,
    historyView,
    serveOldPrompts(history),
    registerHovers(sessions, methods),
    followDocuments(sessions),
    followSettings(sessions),
    followCursor(active, panel, attention),
    contextKeysFollow(sessions, active, client),
    createStatusBar(client, active),
    announceRestarts(client, log),
    registerCommands(
      commandHandlers({
        engine: client,
        models,
        servers,
        serverMemory,
        modelsView,
        find,
        methods,
        explainer,
        comparer,
        history,
        active,
        panel,
        inside,
        log,
      }),
      log,
    ),
    new vscode.Disposable(client.onStatus(() => void methods.refresh().catch((thrown: unknown) => logError(log, thrown)))),
    onSettingChange(['modelPath'], () => models.forgetPick()),
    onSettingChange(['modelFolders'], () => modelsView.refresh()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => modelsView.refresh()),
  );
  return createExtensionApi({ engine: client, sessions, active, overlay, panel, attention, inside, modelsView, history });
}

/** The editor waits for this: the engine is a process of its own and must not outlive the window. */
export async function deactivate(): Promise<void> {
  await engine?.dispose();
  engine = null;
}

function createEngine(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): EngineClient {
  return new EngineClient({
    engineFile: vscode.Uri.joinPath(context.extensionUri, 'dist', 'engine.cjs').fsPath,
    log: (line) => log.info(line),
    startOptions: () => {
      const { idleMinutes, inspectPort } = readSettings();
      return { idleMilliseconds: idleMinutes * 60_000, inspectPort };
    },
  });
}
