import { InvalidArgumentError } from 'commander';
import { usage } from '../../shared/errorCatalog.ts';
import type { Precision } from '../../model/model.ts';
import type { CaptureToFileRequest, CaptureToFileResult } from '../../shared/protocol/engine.ts';
import type { CommandContext } from '../commandContext.ts';
import { precisionOption, withPromptOptions, type PromptVerbOptions } from '../commonOptions.ts';
import { withEngine } from '../engineSession.ts';
import { wholeNumberList } from '../input/numberArguments.ts';
import { promptSource } from '../input/promptSource.ts';
import { chosenTarget, refuseTarget, type TargetOptions, withTargetOptions } from '../input/targetOptions.ts';
import { toJson } from '../../shared/toJson.ts';
import { destination } from '../output/destination.ts';
import { bytes } from '../terminal/numbers.ts';
import { createScreen } from '../terminal/screen.ts';
import type { Theme } from '../terminal/theme.ts';
import { visibleText } from '../terminal/visibleText.ts';
import type { Verb } from '../verb.ts';

interface CaptureOptions extends PromptVerbOptions, TargetOptions {
  readonly sites: readonly string[];
  readonly layers?: readonly number[];
  readonly out: string;
  readonly gradients?: true;
  readonly precision?: Precision;
}

export const captureVerb: Verb = {
  register(program, context) {
    const command = withPromptOptions(program.command('capture').description('Write activations to a safetensors file'))
      .requiredOption('--sites <list>', 'sites, with or without a layer: resid_post,pattern.3,logits', nameList)
      .requiredOption('--out <file>', 'the safetensors file to write')
      .option('--layers <list>', 'layers for sites given without one: 0,5,29 (default: all)', wholeNumberList(9999))
      .option('--gradients', 'also write grad.SITE: the derivative of --target at each site, over prompt and target tokens');
    withTargetOptions(command)
      .addOption(precisionOption())
      .action((file: string | undefined, options: CaptureOptions) => capture(file, options, context));
  },
};

async function capture(file: string | undefined, options: CaptureOptions, context: CommandContext): Promise<void> {
  if (options.out === '-') throw usage('--out needs a file', 'standard output carries the summary, so give a file name');
  const out = await destination(options.out);
  const gradients = gradientsOf(options);
  const prompt = await promptSource(file, options, context);
  const result = await withEngine(context, options, (engine) =>
    engine.capture({
      prompt,
      sites: options.sites,
      layers: options.layers ?? [],
      out,
      ...(gradients === undefined ? {} : { gradients }),
    }),
  );
  const screen = createScreen(context, options.color);
  screen.print(options.json === true ? [toJson(result)] : summary(result, screen.theme));
}

/** @throws E_USAGE, E_TARGET_INVALID, E_TARGET_EMPTY */
function gradientsOf(options: CaptureOptions): CaptureToFileRequest['gradients'] {
  if (options.gradients !== true) {
    refuseTarget({ ...options }, ['target', 'score', 'maxTokens', 'response', 'precision'], '--gradients');
    return undefined;
  }
  return { ...chosenTarget(options), precision: options.precision ?? 'as-served' };
}

function summary({ out, bytes: size, tensors }: CaptureToFileResult, theme: Theme): string[] {
  return [
    theme.bold(`Wrote ${visibleText(out)} (${bytes(size)}, ${tensors.length} tensors, F32)`),
    ...tensors.map(({ name, shape }) => `  ${visibleText(name)} [${shape.join(', ')}]`),
  ];
}

function nameList(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('It must be names, separated by commas.');
  return names;
}
