import type { LogprobsResult } from '../../shared/protocol/engine.ts';
import type { CommandContext } from '../commandContext.ts';
import { withPromptOptions, type PromptVerbOptions } from '../commonOptions.ts';
import { withEngine } from '../engineSession.ts';
import { wholeNumber } from '../input/numberArguments.ts';
import { promptSource } from '../input/promptSource.ts';
import { toJson } from '../../shared/toJson.ts';
import { padWidth } from '../terminal/displayWidth.ts';
import { percentOfLogprob } from '../terminal/numbers.ts';
import { tokenText } from '../terminal/responseTable.ts';
import { createScreen } from '../terminal/screen.ts';
import type { Theme } from '../terminal/theme.ts';
import type { Verb } from '../verb.ts';
import { fixedText } from '../../shared/numberText.ts';

interface LogprobsOptions extends PromptVerbOptions {
  readonly top: number;
}

export const logprobsVerb: Verb = {
  register(program, context) {
    withPromptOptions(program.command('logprobs').description('How surprising each prompt token was, and what comes next'))
      .option('--top <k>', 'alternatives listed for each token', wholeNumber(0, 1000), 5)
      .action((file: string | undefined, options: LogprobsOptions) => logprobs(file, options, context));
  },
};

async function logprobs(file: string | undefined, options: LogprobsOptions, context: CommandContext): Promise<void> {
  const prompt = await promptSource(file, options, context);
  const result = await withEngine(context, options, (engine) => engine.logprobs({ prompt, top: options.top }));
  const screen = createScreen(context, options.color);
  screen.print(options.json === true ? [toJson(result)] : table(result, screen.theme));
}

function table({ tokens, next }: LogprobsResult, theme: Theme): string[] {
  return [
    theme.bold(`${padWidth('  # token', 26)}${'nats'.padStart(9)}${'probability'.padStart(13)}${'rank'.padStart(8)}`),
    ...tokens.map(({ text, logprob, rank }, index) => {
      const name = `${String(index).padStart(3)} ${padWidth(tokenText(text), 22)}`;
      if (logprob === null) return `${name}${theme.dim('nothing precedes it'.padStart(30))}`;
      return `${name}${fixedText(logprob, 3).padStart(9)}${percentOfLogprob(logprob).padStart(13)}${String(rank ?? '').padStart(8)}`;
    }),
    '',
    theme.bold('Next token'),
    ...next.top.map(
      ({ text, logprob }) =>
        `    ${padWidth(tokenText(text), 22)}${fixedText(logprob, 3).padStart(9)}${percentOfLogprob(logprob).padStart(13)}`,
    ),
  ];
}
