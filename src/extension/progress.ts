/** A progress notification with cancel that appears only when the work takes longer than 300 ms. */
import type * as vscode from 'vscode';

export const progressDelayMilliseconds = 300;

export interface ProgressReport {
  /** `done` of `total`; a total of 0 = unknown. */
  (message: string, done?: number, total?: number): void;
}

type WithProgress = (
  options: vscode.ProgressOptions,
  task: (
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    token: Pick<vscode.CancellationToken, 'onCancellationRequested' | 'isCancellationRequested'>,
  ) => Thenable<void>,
) => Thenable<void>;

/**
 * Runs `task`; after 300 ms shows progress at `location` (numbers as in `vscode.ProgressLocation`). Its cancel button aborts
 * `controller`. Nothing is left behind: the timer is cleared and the notification closed when the task ends, however it ends.
 */
export async function withDelayedProgress<Result>(
  withProgress: WithProgress,
  options: vscode.ProgressOptions,
  controller: AbortController,
  task: (report: ProgressReport) => Promise<Result>,
): Promise<Result> {
  let shown: vscode.Progress<{ message?: string; increment?: number }> | null = null;
  let latest: { message: string; share: number } | null = null;
  let shownShare = 0;
  let close: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    close = resolve;
  });
  const update = () => {
    if (shown === null || latest === null) return;
    const increment = Math.max(0, latest.share - shownShare) * 100;
    shownShare = Math.max(shownShare, latest.share);
    shown.report(increment > 0 ? { message: latest.message, increment } : { message: latest.message });
  };
  const timer = setTimeout(() => {
    void withProgress(options, (progress, token) => {
      shown = progress;
      token.onCancellationRequested(() => controller.abort());
      update();
      return ended;
    });
  }, progressDelayMilliseconds);
  try {
    return await task((message, done = 0, total = 0) => {
      latest = { message, share: total > 0 ? Math.min(1, done / total) : 0 };
      update();
    });
  } finally {
    clearTimeout(timer);
    close();
  }
}
