import * as vscode from 'vscode';
import { type CommandName, commandTable } from '../commandTable.ts';
import { showError } from '../showError.ts';

export type CommandHandlers = Readonly<Record<CommandName, (...args: unknown[]) => unknown>>;

/** Registers every command of the table. Whatever a handler throws reaches the user as one message, never a stack. */
export function registerCommands(handlers: CommandHandlers, log: vscode.LogOutputChannel): vscode.Disposable {
  const names = Object.keys(commandTable) as CommandName[];
  return vscode.Disposable.from(
    ...names.map((name) =>
      vscode.commands.registerCommand(commandTable[name].id, async (...args: unknown[]) => {
        try {
          return await handlers[name](...args);
        } catch (thrown) {
          showError(log, thrown);
          return null;
        }
      }),
    ),
  );
}
