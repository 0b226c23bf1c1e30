/** The command line as a whole: verbs, help, and usage errors in the house form. */
import { Command, CommanderError } from 'commander';
import { usage } from '../shared/errorCatalog.ts';
import type { CommandContext } from './commandContext.ts';
import { verbs } from './verbs.ts';

/** Replaced by the build with the version in package.json. */
declare const packageVersion: string | undefined;

/** @throws LoupeError; E_USAGE for what commander refuses. Resolves after `--help` and `--version` too. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<void> {
  const program = createProgram(context);
  if (argv.length === 0) {
    context.stderr.write(program.helpInformation());
    throw usage('no verb was given', 'choose one of those listed above');
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw usage(clause(error.message), 'run prompt-loupe VERB --help to see what it takes');
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command('prompt-loupe')
    .description('Explains prompts on local GGUF and ONNX models: which words carried the answer.')
    .version(typeof packageVersion === 'string' ? packageVersion : 'development')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: () => undefined,
      // The error is printed once, by main.ts.
      outputError: () => undefined,
    })
    .showSuggestionAfterError(true)
    .helpCommand(false);
  for (const verb of verbs) verb.register(program, context);
  return program;
}

/** Commander's `error: unknown option '--foo'\n(Did you mean --bar?)` as one clause. */
function clause(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
}
