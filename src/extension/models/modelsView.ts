/** The Models view: what is on this machine, grouped by where it was found, with a tick at the loaded one. */
import * as vscode from 'vscode';
import { toLoupeError } from '../../shared/errors.ts';
import type { FoundModel, ModelSummary } from '../../shared/protocol/engine.ts';
import { commandTable, viewIds } from '../commandTable.ts';
import type { EngineService } from '../engineService.ts';
import { t } from '../localise.ts';
import { modelDetail, modelGroups, type ModelGroup } from './modelGroups.ts';

type Node =
  | { readonly kind: 'group'; readonly group: ModelGroup }
  | { readonly kind: 'model'; readonly model: FoundModel }
  | { readonly kind: 'message'; readonly text: string; readonly failed: boolean };

export class ModelsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly summaries = new Map<string, ModelSummary>();
  private readonly failures = new Map<string, string>();
  private readonly disposables: vscode.Disposable[] = [];
  private loadedFile: string | null = null;

  constructor(
    private readonly engine: EngineService,
    /** All models that can be found now. */
    private readonly find: () => Promise<readonly FoundModel[]>,
  ) {
    const stop = engine.onStatus((status) => {
      const file = status.model?.file ?? null;
      if (file === this.loadedFile) return;
      this.loadedFile = file;
      this.refresh();
    });
    this.disposables.push(
      this.changed,
      new vscode.Disposable(stop),
      vscode.window.registerTreeDataProvider(viewIds.models, this),
    );
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  /** Shows why a model could not be loaded beside its name, until it can. */
  setFailure(file: string, message: string | null): void {
    if (message === null) this.failures.delete(file);
    else this.failures.set(file, message);
    this.refresh();
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node?.kind === 'group') return node.group.models.map((model) => ({ kind: 'model', model }));
    if (node !== undefined) return [];
    try {
      const groups = modelGroups(await this.find(), t);
      if (groups.length === 0) return [{ kind: 'message', text: t('No model was found.'), failed: false }];
      return groups.map((group) => ({ kind: 'group', group }));
    } catch (thrown) {
      const { what, why } = toLoupeError(thrown).parts;
      return [{ kind: 'message', text: `${what}: ${why}`, failed: true }];
    }
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === 'group') {
      const item = new vscode.TreeItem(node.group.label, vscode.TreeItemCollapsibleState.Expanded);
      item.id = `group:${node.group.source}`;
      return item;
    }
    if (node.kind === 'message') {
      const item = new vscode.TreeItem(node.text);
      if (node.failed) item.iconPath = new vscode.ThemeIcon('error');
      return item;
    }
    return this.modelItem(node.model);
  }

  /** Reads the model's header when its item is hovered; a file that cannot be read says why. */
  async resolveTreeItem(item: vscode.TreeItem, node: Node, token: vscode.CancellationToken): Promise<vscode.TreeItem> {
    if (node.kind !== 'model') return item;
    if (node.model.source === 'server') {
      item.tooltip = this.serverText(node.model);
      return item;
    }
    const controller = new AbortController();
    const cancel = token.onCancellationRequested(() => controller.abort());
    try {
      item.tooltip = summaryText(await this.summaryOf(node.model.file, controller.signal));
    } catch (thrown) {
      const { what, why, action } = toLoupeError(thrown).parts;
      item.tooltip = `${what}\n${why}\n${action}`;
    } finally {
      cancel.dispose();
    }
    return item;
  }

  /** What the view shows, line by line. */
  async labels(): Promise<string[]> {
    const labels: string[] = [];
    for (const node of await this.getChildren()) {
      labels.push(labelOf(this.getTreeItem(node)));
      for (const child of await this.getChildren(node)) labels.push(labelOf(this.getTreeItem(child)));
    }
    return labels;
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  private modelItem(model: FoundModel): vscode.TreeItem {
    const item = new vscode.TreeItem(model.name);
    const failure = this.failures.get(model.file);
    const loaded = model.file === this.loadedFile;
    item.id = `model:${model.file}`;
    const kind = model.source === 'server' ? 'server' : 'model';
    item.contextValue = loaded ? `${kind}.loaded` : kind;
    item.description = failure ?? (loaded ? t('{0}, loaded', modelDetail(model)) : modelDetail(model));
    if (failure !== undefined) item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
    else item.iconPath = new vscode.ThemeIcon(loaded ? 'check' : 'circle-outline');
    item.accessibilityInformation = { label: `${model.name}, ${String(item.description)}` };
    item.command = { ...useModelCommand(), arguments: [node(model)] };
    return item;
  }

  /** Nothing is asked of a server because the mouse is over its name. */
  private serverText({ file }: FoundModel): string {
    const { model } = this.engine.status;
    if (model?.file !== file) return `${file}\n${t('A click connects to it.')}`;
    const context = t('Context: {0} tokens, vocabulary: {1}', model.contextLength, model.vocabulary);
    return [file, context, ...model.notes].join('\n');
  }

  private async summaryOf(file: string, signal: AbortSignal): Promise<ModelSummary> {
    const known = this.summaries.get(file);
    if (known !== undefined) return known;
    const summary = await this.engine.inspect(file, { signal });
    this.summaries.set(file, summary);
    return summary;
  }
}

function labelOf(item: vscode.TreeItem): string {
  const label = typeof item.label === 'string' ? item.label : (item.label?.label ?? '');
  return typeof item.description === 'string' ? `${label} — ${item.description}` : label;
}

function node(model: FoundModel): Node {
  return { kind: 'model', model };
}

function useModelCommand(): vscode.Command {
  return { command: commandTable.useModel.id, title: t('Load model') };
}

function summaryText(summary: ModelSummary): string {
  return [
    summary.file,
    t('Architecture: {0}, {1}', summary.architecture, summary.quantization),
    t('{0} layers, {1} heads, {2} dimensions', summary.layers, summary.heads, summary.hidden),
    t('Context: {0} tokens, vocabulary: {1}', summary.contextLength, summary.vocabulary),
    ...summary.notes,
  ].join('\n');
}
