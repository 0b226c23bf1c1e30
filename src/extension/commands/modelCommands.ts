/** Choosing and loading models. */
import * as vscode from 'vscode';
import { toLoupeError } from '../../shared/errors.ts';
import { isServerAddress } from '../../shared/serverAddress.ts';
import type { FoundModel, ModelSummary } from '../../shared/protocol/engine.ts';
import { t } from '../localise.ts';
import { loadInProgress } from '../models/loadInProgress.ts';
import { modelGroups, modelItem } from '../models/modelGroups.ts';
import type { ModelLoader } from '../models/modelLoader.ts';
import type { ModelsView } from '../models/modelsView.ts';
import type { ServerAccess } from '../models/serverAccess.ts';
import type { ServerMemory } from '../models/serverMemory.ts';
import { fileOfNode } from '../models/nodeFile.ts';
import { askServer, withServerKey } from './askServer.ts';
import type { CommandHandlers } from './registerCommands.ts';

type ModelCommands = Pick<CommandHandlers, 'loadModel' | 'pickModel' | 'useModel' | 'refreshModels' | 'forgetServer'>;

export function modelCommands(
  loader: ModelLoader,
  servers: ServerAccess,
  memory: ServerMemory,
  view: ModelsView,
  find: () => Promise<readonly FoundModel[]>,
): ModelCommands {
  const load = (file: string) => withServerKey(servers, file, () => loadWithProgress(loader, view, file));
  const pickFile = async () => {
    const chosen = await vscode.window.showOpenDialog({
      title: t('Load a model'),
      openLabel: t('Load'),
      canSelectMany: false,
      filters: { [t('Models (GGUF, ONNX)')]: ['gguf', 'onnx'], [t('All files')]: ['*'] },
    });
    const file = chosen?.[0]?.fsPath;
    return file === undefined ? null : load(file);
  };
  return {
    // An argument is the path of a file or the address of a server: from the command line of a task, or a test.
    loadModel: (file) => (typeof file === 'string' ? load(file) : pickFile()),
    useModel: (node) => {
      const file = typeof node === 'string' ? node : fileOfNode(node);
      return file === null ? null : load(file);
    },
    refreshModels: () => view.refresh(),
    forgetServer: async (node) => {
      const address = fileOfNode(node);
      if (address === null || !isServerAddress(address)) return;
      await servers.keepKey(address, '');
      await memory.forget(address);
    },
    pickModel: async () => {
      const picked = await vscode.window.showQuickPick<ModelItem>(find().then(modelItems), {
        title: t('Pick a model'),
        matchOnDescription: true,
      });
      if (picked === undefined) return null;
      if (picked.other === 'server') {
        const address = await askServer(servers);
        return address === null ? null : load(address);
      }
      return picked.file === null ? pickFile() : load(picked.file);
    },
  };
}

type ModelItem = vscode.QuickPickItem & { readonly file: string | null; readonly other?: 'server' };

function modelItems(models: readonly FoundModel[]): ModelItem[] {
  const items = modelGroups(models, t).flatMap((group): ModelItem[] => [
    { label: group.label, kind: vscode.QuickPickItemKind.Separator, file: null },
    ...group.models.map(modelItem),
  ]);
  return [
    ...items,
    { label: '', kind: vscode.QuickPickItemKind.Separator, file: null },
    { label: t('Load a file …'), file: null },
    { label: t('Use a server …'), file: null, other: 'server' },
  ];
}

async function loadWithProgress(loader: ModelLoader, view: ModelsView, file: string): Promise<ModelSummary> {
  try {
    const summary = await loadInProgress((hooks) => loader.pick(file, hooks));
    view.setFailure(file, null);
    return summary;
  } catch (thrown) {
    const error = toLoupeError(thrown);
    if (error.kind !== 'cancelled') view.setFailure(file, error.parts.what);
    throw error;
  }
}
