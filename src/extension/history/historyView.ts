/** The History view: finished explanations, newest first. */
import * as vscode from 'vscode';
import { commandTable, viewIds } from '../commandTable.ts';
import type { MethodCatalog } from '../explain/methodCatalog.ts';
import { methodLabel } from '../explain/methodChoices.ts';
import { t } from '../localise.ts';
import type { HistoryEntry } from './historyEntry.ts';
import type { HistoryItem, HistoryStore } from './historyStore.ts';
import { entryTitle, verdictText } from './historyText.ts';

export class HistoryView implements vscode.TreeDataProvider<HistoryItem>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly disposables: vscode.Disposable[];

  constructor(
    private readonly store: HistoryStore,
    private readonly methods: MethodCatalog,
  ) {
    this.disposables = [
      this.changed,
      new vscode.Disposable(store.onChange(() => this.changed.fire(undefined))),
      vscode.window.registerTreeDataProvider(viewIds.history, this),
    ];
  }

  async getChildren(node?: HistoryItem): Promise<HistoryItem[]> {
    return node === undefined ? await this.store.list() : [];
  }

  getTreeItem(node: HistoryItem): vscode.TreeItem {
    if (node.entry === null) return brokenItem(node.name, node.error);
    const { entry } = node;
    const item = new vscode.TreeItem(entryTitle(entry));
    const { method, faithfulness } = entry.explanation;
    const time = new Date(entry.time).toLocaleString(vscode.env.language);
    const verdict = verdictText(faithfulness?.verdict ?? null, t);
    item.id = node.name;
    item.contextValue = 'history';
    item.description = `${methodLabel(this.methods.current, method.id, t)} · ${time}`;
    item.tooltip = tooltipOf(entry, time, verdict);
    item.iconPath = verdictIcon(faithfulness?.verdict ?? null);
    item.accessibilityInformation = { label: `${entryTitle(entry)}, ${item.description}, ${verdict}` };
    item.command = { command: commandTable.openHistory.id, title: t('Open'), arguments: [node] };
    return item;
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }
}

function brokenItem(name: string, error: string): vscode.TreeItem {
  const item = new vscode.TreeItem(name);
  item.id = name;
  item.contextValue = 'history';
  item.description = t('cannot be read');
  item.tooltip = error;
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  return item;
}

function tooltipOf({ explanation, prompt }: HistoryEntry, time: string, verdict: string): string {
  const { target, method, model } = explanation;
  return [
    prompt.uri === undefined ? '' : vscode.Uri.parse(prompt.uri).path,
    t('Explained: {0}', target.label),
    t('Method: {0}', method.id),
    t('Model: {0}', `${model.name}, ${model.quantization}`),
    t('Time: {0}', time),
    t('Faithfulness: {0}', verdict),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function verdictIcon(verdict: 'trusted' | 'weak' | 'untrusted' | null): vscode.ThemeIcon {
  switch (verdict) {
    case 'trusted':
      return new vscode.ThemeIcon('pass');
    case 'weak':
      return new vscode.ThemeIcon('warning');
    case 'untrusted':
      return new vscode.ThemeIcon('circle-slash');
    case null:
      return new vscode.ThemeIcon('circle-outline');
  }
}
