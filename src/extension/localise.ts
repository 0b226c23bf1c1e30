import * as vscode from 'vscode';
import type { Translate } from './translate.ts';

export const t: Translate = (message, ...args) => vscode.l10n.t(message, ...args);
