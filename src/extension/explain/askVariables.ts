import * as vscode from 'vscode';
import { t } from '../localise.ts';

/** Asks for the values of variables, one input box each; null when the user leaves one of them. */
export async function askVariables(names: readonly string[]): Promise<Readonly<Record<string, string>> | null> {
  const values: [string, string][] = [];
  for (const [index, name] of names.entries()) {
    const value = await vscode.window.showInputBox({
      title: t('Value of a prompt variable ({0} of {1})', index + 1, names.length),
      prompt: `{{${name}}}`,
      placeHolder: t('Used for this document until it is closed'),
      ignoreFocusOut: true,
    });
    if (value === undefined) return null;
    values.push([name, value]);
  }
  return Object.fromEntries(values);
}
