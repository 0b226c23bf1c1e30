/** One line per error: `E_CODE: what happened; why; what to do`. The stack only when asked for. */
import { toLoupeError } from '../shared/errors.ts';
import { exitCodes } from './exitCode.ts';
import { visibleLines, visibleText } from './terminal/visibleText.ts';

/** @returns the exit code */
export function printError(thrown: unknown, stderr: NodeJS.WriteStream, verbose: boolean): number {
  const error = toLoupeError(thrown);
  stderr.write(`${visibleText(error.message)}\n`);
  if (verbose && error.stack !== undefined) stderr.write(`${visibleLines(error.stack)}\n`);
  if (verbose && error.cause instanceof Error)
    stderr.write(`${visibleLines(`caused by ${error.cause.stack ?? error.cause.message}`)}\n`);
  return exitCodes[error.kind];
}
