/** `--target` and what belongs to it, for verbs that differentiate a target. */
import { Option, type Command } from 'commander';
import { usage } from '../../shared/errorCatalog.ts';
import type { ScoreKind, TargetSpec } from '../../shared/target.ts';
import { wholeNumber } from './numberArguments.ts';
import { parseTarget } from './targetArgument.ts';

export interface TargetOptions {
  readonly target?: string;
  readonly score?: ScoreKind;
  readonly maxTokens?: number;
  readonly response?: string;
}

/** Response tokens generated where a target reads some. */
export const defaultMaxTokens = 32;

export function withTargetOptions(command: Command): Command {
  return command
    .option(
      '--target <target>',
      'next (default), response, span:FIRST-LAST, text:TEXT, id:NUMBER, contrast:A|B, entropy, kl:OTHER PROMPT, class:NAME, similarity:TEXT',
    )
    .addOption(
      new Option('--score <kind>', 'the number to differentiate, where it applies').choices(['logit', 'logprob', 'prob']),
    )
    .option(
      '--max-tokens <n>',
      `response tokens generated where the target needs them (default: ${defaultMaxTokens})`,
      wholeNumber(1, 4096),
    )
    .option('--response <text>', 'a response to read instead of a generated one');
}

export interface ChosenTarget {
  readonly target: TargetSpec;
  readonly score?: ScoreKind;
  readonly maxTokens: number;
  readonly response?: string;
  readonly seed: number;
}

/** @throws E_TARGET_INVALID, E_TARGET_EMPTY */
export function chosenTarget({
  target = 'next',
  score,
  maxTokens = defaultMaxTokens,
  response,
  seed,
}: TargetOptions & { readonly seed: number }): ChosenTarget {
  return {
    target: parseTarget(target),
    ...(score === undefined ? {} : { score }),
    maxTokens,
    ...(response === undefined ? {} : { response }),
    seed,
  };
}

/** A target without a gradient would be ignored. @throws E_USAGE */
export function refuseTarget(options: Readonly<Record<string, unknown>>, names: readonly string[], flag: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const option = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usage(`--${option} means nothing without ${flag}`, `add ${flag}, or leave it away`);
}
