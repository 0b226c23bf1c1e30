/** The quick pick of attribution methods. */
import * as vscode from 'vscode';
import type { MethodChoice } from '../../shared/protocol/panel.ts';
import { t } from '../localise.ts';

type MethodItem = vscode.QuickPickItem & { readonly choice: MethodChoice | null };

/** The id of the method the user picked; null when they left. One that cannot run stays in the list, with the reason. */
export async function askMethod(choices: readonly MethodChoice[], title: string): Promise<string | null> {
  for (;;) {
    const picked = await vscode.window.showQuickPick(methodItems(choices), {
      title,
      placeHolder: t('Attribution method'),
      matchOnDetail: true,
    });
    if (picked?.choice == null) return null;
    const { id, label, unavailable } = picked.choice;
    if (unavailable === null) return id;
    void vscode.window.showInformationMessage(t('{0}: {1}.', label, unavailable));
  }
}

/** The editor's list has no disabled items: one that cannot run has a barred icon and says why where the cost stands. */
function methodItems(choices: readonly MethodChoice[]): MethodItem[] {
  return choices.flatMap((choice, index): MethodItem[] => {
    const { family, label, cost, assumption, unavailable } = choice;
    const item: MethodItem = {
      label: unavailable === null ? label : `$(circle-slash) ${label}`,
      description: unavailable ?? cost,
      detail: assumption,
      choice,
    };
    if (choices[index - 1]?.family === family) return [item];
    return [{ label: family, kind: vscode.QuickPickItemKind.Separator, choice: null }, item];
  });
}
