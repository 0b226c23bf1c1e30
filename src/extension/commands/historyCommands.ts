/** Opening and removing old explanations. */
import * as vscode from 'vscode';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import type { Explainer } from '../explain/explainer.ts';
import type { HistoryItem, HistoryStore } from '../history/historyStore.ts';
import { openHistory } from '../history/openHistory.ts';
import { t } from '../localise.ts';
import type { ExplainPanel } from '../panels/explainPanel.ts';
import type { CommandHandlers } from './registerCommands.ts';

type HistoryCommands = Pick<CommandHandlers, 'openHistory' | 'deleteHistory' | 'clearHistory'>;

export function historyCommands(
  store: HistoryStore,
  explainer: Explainer,
  active: ActiveDocument,
  panel: ExplainPanel,
): HistoryCommands {
  /** The item a tree node stands for: by its name, since what the editor hands on may be old. */
  const itemOf = async (argument: unknown): Promise<HistoryItem | undefined> => {
    if (typeof argument !== 'object' || argument === null || !('name' in argument)) return undefined;
    return (await store.list()).find(({ name }) => name === argument.name);
  };
  return {
    openHistory: async (argument) => {
      const item = await itemOf(argument);
      if (item !== undefined) await openHistory(item, explainer, active, panel);
    },
    deleteHistory: async (argument) => {
      const item = await itemOf(argument);
      if (item !== undefined) await store.remove(item.name);
    },
    clearHistory: async () => {
      const remove = t('Delete');
      const picked = await vscode.window.showWarningMessage(
        t('Delete all explanations of the history?'),
        { modal: true },
        remove,
      );
      if (picked === remove) await store.clear();
    },
  };
}
