import { createHash } from 'node:crypto';
import { Option } from 'commander';
import { writeAtomically } from '../../analysis/atomicFile.ts';
import { chosenMeasures } from '../../analysis/faithfulness/chosenMeasures.ts';
import { measureVersion } from '../../analysis/faithfulness/measures.ts';
import { rankableUnits } from '../../analysis/faithfulness/rankings.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { ExplainRequest } from '../../shared/protocol/engine.ts';
import type { ScoreKind } from '../../shared/target.ts';
import { granularities, type Granularity } from '../../shared/tokens.ts';
import type { CommandContext } from '../commandContext.ts';
import { withPromptOptions, type PromptVerbOptions } from '../commonOptions.ts';
import { withEngine } from '../engineSession.ts';
import { agreementTable, summariseAgreement } from '../evaluate/agreementSummary.ts';
import { type EvaluatedCase, readCases } from '../evaluate/cases.ts';
import { type EvaluatedMethod, parseMethods } from '../evaluate/methodList.ts';
import { plausibilityOf } from '../evaluate/plausibility.ts';
import { type Result, ResultFile } from '../evaluate/resultFile.ts';
import { summarise } from '../evaluate/summary.ts';
import { summaryCsv, summaryTable } from '../evaluate/summaryText.ts';
import { wholeNumber } from '../input/numberArguments.ts';
import { parseTarget } from '../input/targetArgument.ts';
import { defaultMaxTokens } from '../input/targetOptions.ts';
import { destination } from '../output/destination.ts';
import { toJson } from '../../shared/toJson.ts';
import { createScreen } from '../terminal/screen.ts';
import type { Verb } from '../verb.ts';

interface EvaluateOptions extends PromptVerbOptions {
  readonly methods: string;
  readonly measures?: string;
  readonly agree?: readonly string[];
  readonly target: string;
  readonly score?: ScoreKind;
  readonly units: Granularity;
  readonly maxTokens: number;
  readonly out?: string;
  readonly csv?: string;
  readonly fresh?: true;
}

export const evaluateVerb: Verb = {
  register(program, context) {
    withPromptOptions(
      program.command('evaluate').description('How faithful methods are on prompts, against random rankings'),
      '[FILE...]',
    )
      .requiredOption(
        '--methods <list>',
        'methods, separated by commas; parameters behind a colon: lime:samples=50;regressor=lasso',
      )
      .option(
        '--measures <list>',
        'measures of faithfulness, separated by commas (default: all; stability runs each method again)',
      )
      .option('--agree <id...>', 'agree to the conditions of methods that state some')
      .option('--target <target>', 'what is explained where a case does not say, as in explain', 'next')
      .addOption(new Option('--score <kind>', 'the number to explain, where it applies').choices(['logit', 'logprob', 'prob']))
      .addOption(new Option('--units <kind>', 'what gets one score').choices(granularities).default('word'))
      .option('--max-tokens <n>', 'response tokens generated where a target needs them', wholeNumber(1, 4096), defaultMaxTokens)
      .option('--out <file>', 'append each result to this file as it is known, and take what it holds as done')
      .option('--fresh', 'forget what the file of --out holds')
      .option('--csv <file>', 'also write the table')
      .action((files: readonly string[], options: EvaluateOptions) => evaluate(files, options, context));
  },
};

async function evaluate(files: readonly string[], options: EvaluateOptions, context: CommandContext): Promise<void> {
  const methods = parseMethods(options.methods);
  const measures = options.measures?.split(',').map((id) => id.trim());
  chosenMeasures(measures);
  parseTarget(options.target);
  const csv = options.csv === undefined ? undefined : await destination(options.csv);
  const out = options.out === undefined ? undefined : await destination(options.out);
  const cases = await readCases(files, options, context);
  const results = await withEngine(context, options, async (engine) => {
    const { model } = await engine.status();
    const known = await ResultFile.open(out, options.fresh === true);
    try {
      const all: Result[] = [];
      for (const given of cases) {
        for (const method of methods) {
          const request = requestOf(given, method, options, measures);
          const key = keyOf([model?.sha256 || model?.file, request, given.rationale ?? null, measureVersion]);
          const done = known.get(key);
          const result = done ?? resultOf(key, given, method, await engine.explain(request));
          if (done === undefined) await known.add(result);
          all.push({ ...result, case: given.id, method: method.name });
        }
      }
      return all;
    } finally {
      await known.close();
    }
  });
  const names = methods.map(({ name }) => name);
  const summaries = summarise(results, names, options.seed);
  const agreement = summariseAgreement(results, names, options.seed);
  const screen = createScreen(context, options.color);
  screen.print(
    options.json === true
      ? [toJson({ methods: summaries, agreement, cases: results })]
      : [...summaryTable(summaries, screen.theme), ...agreementTable(agreement, names, screen.theme)],
  );
  if (csv !== undefined) await writeAtomically(csv, (append) => append(new TextEncoder().encode(summaryCsv(summaries))));
}

function requestOf(
  { prompt, target, response }: EvaluatedCase,
  { id, parameters }: EvaluatedMethod,
  options: EvaluateOptions,
  measures: readonly string[] | undefined,
): ExplainRequest {
  return {
    prompt,
    method: id,
    parameters,
    target: parseTarget(target ?? options.target),
    ...(options.score === undefined ? {} : { score: options.score }),
    ...(options.agree === undefined ? {} : { agreed: options.agree }),
    granularity: options.units,
    maxTokens: options.maxTokens,
    ...(response === undefined ? {} : { response }),
    seed: options.seed,
    progressive: false,
    faithfulness: 'full',
    ...(measures === undefined ? {} : { measures }),
  };
}

/** Where a file stands is no part of what was asked. */
function keyOf(asked: readonly unknown[]): string {
  const text = JSON.stringify(asked, (name, value: unknown) => (name === 'uri' ? undefined : value));
  return createHash('sha256').update(text).digest('hex');
}

function resultOf(key: string, { id, rationale }: EvaluatedCase, { name }: EvaluatedMethod, explanation: Explanation): Result {
  const { faithfulness, cost, units, scores, tokens } = explanation;
  const plausibility = rationale === undefined ? null : plausibilityOf(explanation, rationale);
  const check = faithfulness?.cost ?? { forwardPasses: 0, milliseconds: 0 };
  return {
    key,
    case: id,
    method: name,
    measures: [
      ...(faithfulness?.measures ?? []).map(({ id: measure, value, random, gain }) => ({ id: measure, value, random, gain })),
      ...(plausibility === null ? [] : [plausibility]),
    ],
    verdict: faithfulness?.verdict ?? 'not measured',
    forwardPasses: cost.forwardPasses - check.forwardPasses,
    milliseconds: cost.milliseconds - check.milliseconds,
    scores: {
      // Nine digits tell every 32-bit number from every other.
      values: Array.from(scores, (score) => Number(score.toPrecision(9))),
      signed: explanation.method.signed !== false,
      ranked: rankableUnits(units, tokens.length),
    },
  };
}
