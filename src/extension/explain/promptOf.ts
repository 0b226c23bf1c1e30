/** A document as the engine is given it. */
import * as vscode from 'vscode';
import { detectFormat } from '../../shared/promptFormat.ts';
import type { PromptSource } from '../../shared/protocol/engine.ts';
import type { Choices } from './session.ts';

export function promptOf(
  document: vscode.TextDocument,
  choices: Pick<Choices, 'mode' | 'selection' | 'variables'>,
): PromptSource {
  const text = document.getText();
  return {
    text,
    uri: document.uri.toString(),
    format: detectFormat(document.uri.path, document.languageId),
    mode: choices.mode,
    ...(choices.selection === null ? {} : { selection: choices.selection }),
    ...(Object.keys(choices.variables).length === 0 ? {} : { variables: choices.variables }),
  };
}

/** The last part of a document's URI. */
export function fileName(uri: string): string {
  return vscode.Uri.parse(uri).path.split('/').at(-1) ?? uri;
}
