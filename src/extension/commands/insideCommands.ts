/** Opening the tools that look inside the model. */
import * as vscode from 'vscode';
import type { ToolDescription } from '../../shared/protocol/tools.ts';
import type { EngineService } from '../engineService.ts';
import type { InsidePanel } from '../inside/insidePanel.ts';
import { t } from '../localise.ts';
import type { CommandHandlers } from './registerCommands.ts';

type InsideCommands = Pick<CommandHandlers, 'lookInside' | 'layers'>;

export function insideCommands(panel: InsidePanel, engine: Pick<EngineService, 'tools'>): InsideCommands {
  const openWith = async (tool: string) => {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) {
      void vscode.window.showInformationMessage(t('Open a prompt in the editor first.'));
      return null;
    }
    await panel.open(tool, editor);
    return tool;
  };
  return {
    // An argument is the id of a tool: from a keybinding, a task, or a test.
    lookInside: async (tool) => {
      const chosen = typeof tool === 'string' ? tool : await askTool(await engine.tools());
      return chosen === null ? null : openWith(chosen);
    },
    layers: () => openWith('lens'),
  };
}

type ToolItem = vscode.QuickPickItem & { readonly tool?: string };

async function askTool(tools: readonly ToolDescription[]): Promise<string | null> {
  const families = [...new Set(tools.map(({ family }) => family))];
  const items = families.flatMap((family): ToolItem[] => [
    { label: family, kind: vscode.QuickPickItemKind.Separator },
    ...tools
      .filter((tool) => tool.family === family)
      .map((tool) => ({
        tool: tool.id,
        label: tool.label,
        detail: tool.question,
        ...(tool.available ? {} : { description: t('not possible with the loaded model') }),
      })),
  ]);
  const picked = await vscode.window.showQuickPick(items, { title: t('Look Inside'), matchOnDetail: true });
  return picked?.tool ?? null;
}
