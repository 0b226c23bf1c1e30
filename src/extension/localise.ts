import * as vscode from 'vscode';
import { renderedTranslator, type TranslateRendered } from './renderedTexts.ts';
import type { Translate } from './translate.ts';

export const t: Translate = (message, ...args) => vscode.l10n.t(message, ...args);

let rendered: TranslateRendered | null = null;

/** Of texts that the engine wrote; what finds them again is made once, when it is first needed. */
export const translateRendered: TranslateRendered = (text) => (rendered ??= renderedTranslator(vscode.l10n.bundle))(text);
