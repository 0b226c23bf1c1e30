/** The quick pick of tools that look inside. */
import * as vscode from 'vscode';
import type { ToolChoice } from '../../shared/protocol/insidePanel.ts';
import { t } from '../localise.ts';

type ToolItem = vscode.QuickPickItem & { readonly choice: ToolChoice | null };

/** The tool the user picked; null when they left. One that cannot run stays in the list, with the reason. */
export async function askTool(choices: readonly ToolChoice[]): Promise<ToolChoice | null> {
  for (;;) {
    const picked = await vscode.window.showQuickPick(toolItems(choices), {
      title: t('Look inside'),
      placeHolder: t('What do you want to know?'),
      matchOnDetail: true,
    });
    if (picked?.choice == null) return null;
    const { label, unavailable } = picked.choice;
    if (unavailable === null) return picked.choice;
    void vscode.window.showInformationMessage(t('{0}: {1}.', label, unavailable));
  }
}

/** The editor's list has no disabled items: one that cannot run has a barred icon and says why. */
function toolItems(choices: readonly ToolChoice[]): ToolItem[] {
  return choices.flatMap((choice, index): ToolItem[] => {
    const { family, label, question, unavailable } = choice;
    const item: ToolItem = {
      label: unavailable === null ? label : `$(circle-slash) ${label}`,
      ...(unavailable === null ? {} : { description: unavailable }),
      detail: question,
      choice,
    };
    if (choices[index - 1]?.family === family) return [item];
    return [{ label: family, kind: vscode.QuickPickItemKind.Separator, choice: null }, item];
  });
}
