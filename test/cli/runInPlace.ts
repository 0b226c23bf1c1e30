/** The command line in this process, for what is refused before an engine is needed: a spawn per row would take minutes. */
import { PassThrough } from 'node:stream';
import type { CommandContext } from '../../src/cli/commandContext.ts';
import { printError } from '../../src/cli/printError.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { CliResult } from './cliProcess.ts';

export async function runInPlace(argv: readonly string[]): Promise<CliResult> {
  const stdout = collector();
  const stderr = collector();
  const context: CommandContext = {
    stdin: new PassThrough() as unknown as NodeJS.ReadStream,
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment: {},
    signal: new AbortController().signal,
  };
  let code = 0;
  try {
    await runProgram(argv, context);
  } catch (error) {
    code = printError(error, context.stderr, argv.includes('--verbose'));
  }
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collector(): { readonly stream: NodeJS.WriteStream; readonly text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => Buffer.concat(chunks).toString('utf8') };
}
