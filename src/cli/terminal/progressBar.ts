/** Progress on standard error: a bar on a terminal, one line per phase with --verbose elsewhere, else nothing. */
import { SingleBar } from 'cli-progress';
import type { Progress } from '../../shared/protocol/engine.ts';
import { visibleText } from './visibleText.ts';

export interface ProgressBar {
  update(progress: Pick<Progress, 'phase' | 'done' | 'total'>): void;
  /** Removes the bar; call it before anything else is printed. */
  stop(): void;
}

export function createProgressBar(stream: NodeJS.WriteStream, verbose: boolean): ProgressBar {
  if (!stream.isTTY) return verbose ? phaseLines(stream) : { update: () => undefined, stop: () => undefined };
  let bar: SingleBar | null = null;
  return {
    update({ phase, done, total }) {
      // Some phases report a share of 1, others count steps.
      const payload = { phase: visibleText(phase), count: total > 1 ? `${Math.floor(done)}/${total}` : '' };
      if (bar === null) {
        bar = new SingleBar({
          stream,
          format: '{phase} [{bar}] {percentage}% {count}',
          barCompleteChar: '█',
          barIncompleteChar: '░',
          hideCursor: true,
          clearOnComplete: true,
          linewrap: false,
          // Our own handlers decide what Ctrl-C does.
          gracefulExit: false,
        });
        bar.start(total, done, payload);
      }
      bar.setTotal(total);
      bar.update(done, payload);
    },
    stop() {
      bar?.stop();
      bar = null;
    },
  };
}

function phaseLines(stream: NodeJS.WriteStream): ProgressBar {
  let last = '';
  return {
    update({ phase }) {
      if (phase !== last) stream.write(`${visibleText(phase)} …\n`);
      last = phase;
    },
    stop: () => undefined,
  };
}
