import type { GenerateTextResult } from '../../shared/protocol/engine.ts';
import type { CommandContext } from '../commandContext.ts';
import { withPromptOptions, type PromptVerbOptions } from '../commonOptions.ts';
import { withEngine } from '../engineSession.ts';
import { decimalNumber, wholeNumber } from '../input/numberArguments.ts';
import { promptSource } from '../input/promptSource.ts';
import { toJson } from '../../shared/toJson.ts';
import { createScreen } from '../terminal/screen.ts';
import { visibleLines } from '../terminal/visibleText.ts';
import type { Verb } from '../verb.ts';

interface GenerateOptions extends PromptVerbOptions {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly top: number;
}

export const generateVerb: Verb = {
  register(program, context) {
    withPromptOptions(program.command('generate').description('What the model answers'))
      .option('--max-tokens <n>', 'tokens at most', wholeNumber(1, 1_048_576), 64)
      .option('--temperature <x>', '0 = the most likely token each time', decimalNumber(0, 100), 0)
      .option('--top <k>', 'alternatives listed for each token', wholeNumber(0, 1000), 5)
      .action((file: string | undefined, options: GenerateOptions) => generate(file, options, context));
  },
};

async function generate(file: string | undefined, options: GenerateOptions, context: CommandContext): Promise<void> {
  const prompt = await promptSource(file, options, context);
  const result: GenerateTextResult = await withEngine(context, options, (engine) =>
    engine.generate({
      prompt,
      maxTokens: options.maxTokens,
      temperature: options.temperature,
      seed: options.seed,
      top: options.top,
    }),
  );
  createScreen(context, options.color).print([options.json === true ? toJson(result) : visibleLines(result.text)]);
}
