/** A call to the engine that a command waits for, with a progress notification that can cancel it. */
import * as vscode from 'vscode';
import type { CallHooks } from './engineService.ts';
import { phaseText } from './explain/phaseText.ts';
import { t } from './localise.ts';
import { withDelayedProgress } from './progress.ts';

/** @throws what `call` throws; E_CANCELLED when the user cancels */
export function callInProgress<Result>(title: string, call: (hooks: CallHooks) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  return withDelayedProgress(
    (options, task) => vscode.window.withProgress(options, task),
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    controller,
    (report) =>
      call({
        signal: controller.signal,
        title,
        onProgress: ({ phase, done, total }) => report(phaseText(phase, t), done, total),
      }),
  );
}
