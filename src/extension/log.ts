import * as vscode from 'vscode';
import { type LoupeError, toLoupeError } from '../shared/errors.ts';

export function createLog(): vscode.LogOutputChannel {
  return vscode.window.createOutputChannel('Prompt Loupe', { log: true });
}

/** Writes an error down; what nobody expected keeps its stack. */
export function logError(log: vscode.LogOutputChannel, thrown: unknown): LoupeError {
  const error = toLoupeError(thrown);
  if (error.code === 'E_INTERNAL') log.error(error.stack ?? error.message);
  else if (error.kind === 'cancelled') log.debug(error.message);
  else log.error(error.message);
  return error;
}
