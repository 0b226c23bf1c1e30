/** One line per error: `E_CODE: what happened; why; what to do`. The stack only when asked for. */
import { LoupeError, toLoupeError } from '../shared/errors.ts';
import { exitCodes } from './exitCode.ts';
import { visibleLines, visibleText } from './terminal/visibleText.ts';

/** @returns the exit code */
export function printError(thrown: unknown, stderr: NodeJS.WriteStream, verbose: boolean): number {
  const error = withShellAction(toLoupeError(thrown));
  stderr.write(`${visibleText(error.message)}\n`);
  if (verbose && error.stack !== undefined) stderr.write(`${visibleLines(error.stack)}\n`);
  if (verbose && error.cause instanceof Error)
    stderr.write(`${visibleLines(`caused by ${error.cause.stack ?? error.cause.message}`)}\n`);
  return exitCodes[error.kind];
}

/** What to do differs in a shell: there is nobody to ask. */
const shellActions: Readonly<Record<string, string>> = {
  E_VARIABLE_MISSING: 'give each with --var name=value, or add it to testData',
};

function withShellAction(error: LoupeError): LoupeError {
  const action = shellActions[error.code];
  if (action === undefined) return error;
  const reworded = new LoupeError({ ...error.parts, action }, { cause: error.cause });
  if (error.stack !== undefined) reworded.stack = error.stack;
  return reworded;
}
