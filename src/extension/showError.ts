import * as vscode from 'vscode';
import { commandTable } from './commandTable.ts';
import { errorOffers, errorText } from './errorMessage.ts';
import { t } from './localise.ts';
import { logError } from './log.ts';

/** Logs an error and shows it with something to do about it. A cancelled run is not an error to its user. */
export function showError(log: vscode.LogOutputChannel, thrown: unknown): void {
  const error = logError(log, thrown);
  if (error.kind === 'cancelled') return;
  const offers = errorOffers(error, t);
  // Not awaited: the message may stay open for as long as the user likes.
  void vscode.window.showErrorMessage(errorText(error), ...offers.map((offer) => offer.label)).then((picked) => {
    const offer = offers.find((candidate) => candidate.label === picked);
    return offer === undefined ? undefined : vscode.commands.executeCommand(commandTable[offer.command].id);
  });
}
