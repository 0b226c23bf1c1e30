import type { AttentionHead } from '../../shared/protocol/engine.ts';
import type { CommandContext } from '../commandContext.ts';
import { withPromptOptions, type PromptVerbOptions } from '../commonOptions.ts';
import { withEngine } from '../engineSession.ts';
import { wholeNumber } from '../input/numberArguments.ts';
import { promptSource } from '../input/promptSource.ts';
import { chosenTarget, refuseTarget, type TargetOptions, withTargetOptions } from '../input/targetOptions.ts';
import { toJson } from '../../shared/toJson.ts';
import { attentionView } from '../terminal/attentionView.ts';
import { createScreen } from '../terminal/screen.ts';
import type { Verb } from '../verb.ts';

interface AttentionOptions extends PromptVerbOptions, TargetOptions {
  readonly gradient?: true;
  readonly layer: number;
  readonly head: number;
}

export const attentionVerb: Verb = {
  register(program, context) {
    const command = withPromptOptions(program.command('attention').description('Which tokens one attention head looked at'))
      .requiredOption('--layer <n>', 'layer, counted from 0', wholeNumber(0, 9999))
      .requiredOption('--head <n>', 'head, counted from 0', wholeNumber(0, 9999))
      .option('--gradient', 'weighted by the gradient of --target: what each look did for it, signed');
    withTargetOptions(command).action((file: string | undefined, options: AttentionOptions) => attention(file, options, context));
  },
};

async function attention(file: string | undefined, options: AttentionOptions, context: CommandContext): Promise<void> {
  if (options.gradient !== true) refuseTarget({ ...options }, ['target', 'score', 'maxTokens', 'response'], '--gradient');
  const weighting = options.gradient === true ? { weighting: chosenTarget(options) } : {};
  const prompt = await promptSource(file, options, context);
  const result = await withEngine(context, options, (engine) =>
    engine.attentionHead({ prompt, layer: options.layer, head: options.head, ...weighting }),
  );
  const screen = createScreen(context, options.color);
  screen.print(options.json === true ? [toJson(contractFields(result))] : attentionView(result, screen.theme));
}

/** `values` is row-major: the weight of query q on key k is at q × shape[1] + k. */
function contractFields({ tokens, layer, head, shape, values, weightedBy }: AttentionHead): object {
  return { tokens, layer, head, shape, values, ...(weightedBy === undefined ? {} : { weightedBy }) };
}
