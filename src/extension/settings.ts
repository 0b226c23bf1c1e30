/** Reads the settings from the editor, checked. */
import * as vscode from 'vscode';
import { checkedSetting, section, type Settings, settingNames } from './settingsTable.ts';

/** All settings as they hold for a document (or for the window). */
export function readSettings(scope?: vscode.Uri): Settings {
  const configuration = vscode.workspace.getConfiguration(section, scope ?? null);
  return Object.fromEntries(
    settingNames.map((name) => [name, checkedSetting(name, configuration.get<unknown>(name))]),
  ) as unknown as Settings;
}

/** Sets a setting where it takes effect: in the workspace when that has a value of its own, else for the user. */
export async function writeSetting<Name extends keyof Settings>(name: Name, value: Settings[Name]): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(section);
  const ofWorkspace = configuration.inspect(name)?.workspaceValue !== undefined;
  await configuration.update(name, value, ofWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global);
}

export function onSettingChange(names: readonly (keyof Settings)[], listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (names.some((name) => event.affectsConfiguration(`${section}.${name}`))) listener();
  });
}
