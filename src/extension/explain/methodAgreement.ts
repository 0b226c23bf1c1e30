/** Methods that run only after the user agreed to what they do: asked once, kept in the user's settings. */
import * as vscode from 'vscode';
import type { MethodDescription } from '../../shared/protocol/engine.ts';
import { t } from '../localise.ts';
import { readSettings } from '../settings.ts';
import { section } from '../settingsTable.ts';

/** Whether the method may run; asks when it has a condition nobody agreed to yet. */
export async function agreeTo(method: Pick<MethodDescription, 'id' | 'label' | 'optIn'> | undefined): Promise<boolean> {
  if (method?.optIn === undefined) return true;
  const { agreedMethods } = readSettings();
  if (agreedMethods.includes(method.id)) return true;
  const agree = t('Agree');
  const picked = await vscode.window.showWarningMessage(t(method.label), { modal: true, detail: t(method.optIn) }, agree);
  if (picked !== agree) return false;
  await vscode.workspace
    .getConfiguration(section)
    .update('agreedMethods', [...agreedMethods, method.id], vscode.ConfigurationTarget.Global);
  return true;
}
