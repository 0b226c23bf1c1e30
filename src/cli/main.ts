/** Entry of the command line: streams, signals, exit code. Everything else is in `program.ts` and the verbs. */
import type { CommandContext } from './commandContext.ts';
import { exitCodes } from './exitCode.ts';
import { printError } from './printError.ts';
import { runProgram } from './program.ts';

function main(): void {
  const cancel = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The first asks; a second does not wait for an answer.
      if (cancel.signal.aborted) endAtOnce(signal);
      else cancel.abort();
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `prompt-loupe … | head` closes the pipe early: that is not an error.
      process.exit(error.code === 'EPIPE' ? 0 : exitCodes.engine);
    });
  }
  const context: CommandContext = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    signal: cancel.signal,
  };
  const argv = process.argv.slice(2);
  runProgram(argv, context).catch((error: unknown) => {
    process.exitCode = printError(error, process.stderr, argv.includes('--verbose'));
  });
}

/** exit() would wait for the model's thread, which may be inside a native call: the signal does what it does to any program. */
function endAtOnce(signal: NodeJS.Signals): void {
  // What the progress bar hid and switched off: the cursor and line wrapping.
  if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\u001b[?7h');
  if (process.platform === 'win32') process.exit(exitCodes.cancelled);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

main();
