/** One file a verb; `verbs.ts` lists them. */
import type { Command } from 'commander';
import type { CommandContext } from './commandContext.ts';

export interface Verb {
  /** Adds the verb, its options and its action to the program. */
  register(program: Command, context: CommandContext): void;
}
