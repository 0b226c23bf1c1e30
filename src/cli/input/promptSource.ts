/** What the user gave (FILE, `-` or `--ids`) as the prompt source the engine takes. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { usage } from '../../shared/errorCatalog.ts';
import type { PromptFormat, PromptMode, PromptSource } from '../../shared/protocol/engine.ts';
import type { CommandContext } from '../commandContext.ts';
import { readPromptText } from './readPromptText.ts';

export interface PromptOptions {
  readonly raw?: true;
  readonly chat?: true;
  readonly ids?: readonly number[];
  readonly format?: PromptFormat;
  readonly var?: Readonly<Record<string, string>>;
}

/** @throws E_USAGE when neither or both of FILE and --ids are given, and as readPromptText */
export async function promptSource(
  file: string | undefined,
  options: PromptOptions,
  { stdin, signal }: CommandContext,
): Promise<PromptSource> {
  if (options.ids !== undefined) {
    if (file !== undefined) throw usage('FILE and --ids exclude each other', 'give one of the two');
    return { text: '', ids: options.ids, format: 'text', mode: 'raw' };
  }
  if (file === undefined) throw usage('there is no prompt', 'give a FILE, - for standard input, or --ids');
  const text = await readPromptText(file, stdin, signal);
  return {
    text,
    format: options.format ?? formatOf(file),
    mode: modeOf(options),
    ...(file === '-' ? {} : { uri: pathToFileURL(path.resolve(file)).href }),
    ...(options.var === undefined ? {} : { variables: options.var }),
  };
}

function modeOf({ raw, chat }: PromptOptions): PromptMode {
  if (raw === true) return 'raw';
  return chat === true ? 'chat' : 'auto';
}

const formatsByEnding: readonly (readonly [RegExp, PromptFormat])[] = [
  [/\.prompt\.ya?ml$/i, 'prompt-yml'],
  [/\.(md|markdown)$/i, 'markdown'],
  [/\.json$/i, 'messages-json'],
];

function formatOf(file: string): PromptFormat {
  return formatsByEnding.find(([ending]) => ending.test(file))?.[1] ?? 'text';
}
