import { Option } from 'commander';
import { attributionMethods, defaultMethod, fallbackMethod } from '../../attribution/registry.ts';
import { usage } from '../../shared/errorCatalog.ts';
import type { ExportFormat } from '../../shared/protocol/engine.ts';
import type { ScoreKind } from '../../shared/target.ts';
import { granularities, type Granularity } from '../../shared/tokens.ts';
import type { CommandContext } from '../commandContext.ts';
import { precisionOption, withPromptOptions, type PromptVerbOptions } from '../commonOptions.ts';
import { withEngine } from '../engineSession.ts';
import { namedParameter, type ParameterValue } from '../input/namedValues.ts';
import { wholeNumber } from '../input/numberArguments.ts';
import { promptSource } from '../input/promptSource.ts';
import { parseTarget } from '../input/targetArgument.ts';
import { defaultMaxTokens } from '../input/targetOptions.ts';
import { toJson } from '../../shared/toJson.ts';
import { destination } from '../output/destination.ts';
import { readFont, writePicture } from '../output/picture.ts';
import { explanationView } from '../terminal/explanationView.ts';
import { createScreen } from '../terminal/screen.ts';
import type { Verb } from '../verb.ts';

interface ExplainOptions extends PromptVerbOptions {
  readonly method?: string;
  readonly agree?: readonly string[];
  readonly precision?: string;
  readonly methodOption?: Readonly<Record<string, ParameterValue>>;
  readonly target: string;
  readonly score?: ScoreKind;
  readonly units: Granularity;
  readonly maxTokens: number;
  readonly response?: string;
  readonly faithfulness: 'none' | 'cheap' | 'full';
  readonly html?: string;
  readonly svg?: string;
  readonly png?: string;
  readonly font?: string;
  readonly csv?: string;
}

const methods = attributionMethods.map(({ id }) => id).join(', ');

export const explainVerb: Verb = {
  register(program, context) {
    withPromptOptions(program.command('explain').description('Which words of the prompt carried the answer'))
      .option(
        '--method <id>',
        `attribution method: ${methods} (default: ${defaultMethod}, or ${fallbackMethod} on a model without gradients)`,
      )
      .option('--method-option <key=value>', 'a parameter of the method; repeatable', namedParameter)
      .option('--agree <id...>', 'agree to the conditions of methods that state some')
      .addOption(precisionOption())
      .option(
        '--target <target>',
        'next, response, span:FIRST-LAST, text:TEXT, id:NUMBER, contrast:A|B, entropy, kl:OTHER PROMPT, class:NAME, similarity:TEXT',
        'next',
      )
      .addOption(new Option('--score <kind>', 'the number to explain, where it applies').choices(['logit', 'logprob', 'prob']))
      .addOption(new Option('--units <kind>', 'what gets one score').choices(granularities).default('word'))
      .option('--max-tokens <n>', 'response tokens generated before explaining', wholeNumber(1, 4096), defaultMaxTokens)
      .option('--response <text>', 'a response to explain instead of a generated one')
      .addOption(
        new Option('--faithfulness <kind>', 'how far the scores are checked').choices(['none', 'cheap', 'full']).default('cheap'),
      )
      .option('--html <file>', 'also write a self-contained page')
      .option('--svg <file>', 'also write a picture')
      .option('--png <file>', 'also write that picture as pixels')
      .option('--font <file>', 'letters of the PNG that the font shipped has not (TrueType, OpenType)')
      .option('--csv <file>', 'also write a table of units')
      .action((file: string | undefined, options: ExplainOptions) => explain(file, options, context));
  },
};

async function explain(file: string | undefined, options: ExplainOptions, context: CommandContext): Promise<void> {
  const target = parseTarget(options.target);
  const exports = await exportsOf(options);
  const font = options.font === undefined ? null : await readFont(options.font);
  const prompt = await promptSource(file, options, context);
  await withEngine(context, options, async (engine) => {
    const explanation = await engine.explain({
      prompt,
      method: options.method ?? defaultMethod,
      ...(options.method === undefined ? { mayFallBack: true } : {}),
      parameters: { ...options.methodOption, ...(options.precision === undefined ? {} : { precision: options.precision }) },
      ...(options.agree === undefined ? {} : { agreed: options.agree }),
      target,
      ...(options.score === undefined ? {} : { score: options.score }),
      granularity: options.units,
      maxTokens: options.maxTokens,
      ...(options.response === undefined ? {} : { response: options.response }),
      seed: options.seed,
      progressive: false,
      faithfulness: options.faithfulness === 'none' ? false : options.faithfulness,
    });
    const screen = createScreen(context, options.color);
    screen.print(options.json === true ? [toJson(explanation)] : explanationView(explanation, screen.theme, screen.columns));
    // After the result: a full disk must not cost the run.
    for (const { format, out } of exports) {
      if (format !== 'png') await engine.export({ explanation, format, out });
      else for (const note of await writePicture(explanation, out, font)) context.stderr.write(`${note}\n`);
    }
  });
}

interface Export {
  readonly format: ExportFormat | 'png';
  readonly out: string;
}

/** @throws E_OUTPUT_UNWRITABLE, E_USAGE */
async function exportsOf(options: ExplainOptions): Promise<Export[]> {
  const exports: Export[] = [];
  for (const format of ['html', 'svg', 'png', 'csv'] as const) {
    const file = options[format];
    if (file !== undefined) exports.push({ format, out: await destination(file) });
  }
  if (new Set(exports.map(({ out }) => out)).size < exports.length) {
    throw usage('two results would go to the same file', 'give --html, --svg, --png and --csv different names');
  }
  if (options.font !== undefined && options.png === undefined) throw usage('--font is for a PNG', 'give --png FILE with it');
  return exports;
}
