import { evaluateSequences, sharedPasses } from '../../attribution/perturbation/evaluateSequences.ts';
import type { Block, TableBlock } from '../../shared/inspection/blocks.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { promptEncoder } from '../words/promptEncoder.ts';
import { applyEdits } from '../words/textEdits.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import { type AverageEffect, averageEffect, placesOf, sampleLines, valuesOf } from './intervention.ts';

const id = 'intervene';

/** See docs/inside/intervene.md. */
export const intervene: Tool = {
  id,
  family: 'causal',
  label: 'Intervention',
  question: 'What does the answer become when one span of the prompt is set to other values and the rest is held?',
  needs: ['forward'],
  usesTarget: true,
  parameters: [
    {
      id: 'span',
      kind: 'text',
      label: 'Span',
      help: 'words of the prompt that are replaced, which stand there once; or a variable, {{name}}, wherever it stands',
      default: '',
      required: true,
      pattern: 'France',
    },
    {
      id: 'values',
      kind: 'text',
      label: 'Values',
      help: 'what is put in their place, separated by |',
      default: '',
      required: true,
      pattern: 'England|Germany',
    },
    {
      id: 'samples',
      kind: 'file',
      label: 'Samples',
      help: 'paraphrases or other prompts, one a line, each with {{}} or the span once: the effect is averaged over them',
    },
    {
      id: 'tokens',
      kind: 'number',
      label: 'Text',
      help: 'tokens of the answer written for each value; 0: none',
      default: 8,
      minimum: 0,
      maximum: 512,
      whole: true,
    },
  ],

  async run(context) {
    const { prompt, parameters, seed } = context;
    const span = String(parameters['span']);
    const places = placesOf(prompt, span);
    const own = prompt.text.slice(places[0].start, places[0].end);
    const values = [own, ...valuesOf(String(parameters['values']), own)];
    const lines = sampleLines(String(parameters['samples']), span);
    const target = await context.target();
    const encode = promptEncoder(context);
    const texts = values.map((value) =>
      applyEdits(
        prompt.text,
        places.map((place) => ({ ...place, text: value })),
      ),
    );
    const prompts: Int32Array[] = [];
    for (const text of texts) prompts.push((await encode(text)).ids);
    for (const [before, behind] of lines) {
      for (const value of values) prompts.push((await context.readText(before + value + behind)).ids);
    }
    const { measured, forwardPasses } = await targets(context, prompts);
    const found = measured.slice(0, values.length);
    /** [values][samples] */
    const samples = values.map((_, value) => lines.map((_line, line) => measured[(line + 1) * values.length + value] as number));
    const answers = await answersOf(context, prompts.slice(0, values.length));
    const pairs = values.flatMap((_, b) => values.slice(0, b).map((_value, a) => ({ a, b })));
    const differences = pairs.map(({ a, b }): Difference => {
      const average = lines.length === 0 ? null : averageEffect(samples[b] ?? [], samples[a] ?? [], seed);
      return { from: values[a] ?? '', to: values[b] ?? '', difference: (found[b] as number) - (found[a] as number), average };
    });
    const { unit, label } = target.description;
    return {
      data: {
        span: { ...places[0], text: own, places },
        values: values.map((value, index) => ({
          value,
          target: found[index],
          change: (found[index] as number) - (found[0] as number),
          tokens: prompts[index]?.length,
          text: answers[index] ?? null,
          ...(lines.length === 0 ? {} : { samples: samples[index] }),
        })),
        differences,
        samples: lines.length,
        unit,
        target: label,
      },
      blocks: interventionBlocks({
        span,
        values,
        own: found,
        answers,
        differences,
        samples: lines.length,
        unit,
        label: quotedTarget(target.description),
        prompts,
      }),
      forwardPasses: forwardPasses + answers.length * Number(parameters['tokens']),
    };
  },
};

/** The target on each prompt; only prompts that begin alike share work. */
async function targets({ model, prompt, signal, progress, ...context }: ToolContext, prompts: readonly Int32Array[]) {
  const target = await context.target();
  let done = 0;
  const onValue = () => progress('intervening', ++done, prompts.length);
  const measured = Array.from(await evaluateSequences(model, prompts, target, { signal, onValue }));
  return { measured, forwardPasses: sharedPasses(model.info, prompts, prompt.ids.length, target.continuation.length) };
}

async function answersOf(context: ToolContext, prompts: readonly Int32Array[]): Promise<string[]> {
  const maxTokens = Number(context.parameters['tokens']);
  const answers: string[] = [];
  for (const ids of maxTokens > 0 ? prompts : []) answers.push(await context.generate({ ...context.prompt, ids }, maxTokens));
  return answers;
}

interface Difference {
  readonly from: string;
  readonly to: string;
  /** Target with `to` less target with `from`, on the prompt itself. */
  readonly difference: number;
  /** The same over the samples, where there are some. */
  readonly average: AverageEffect | null;
}

interface Intervention {
  readonly span: string;
  readonly values: readonly string[];
  readonly own: readonly number[];
  readonly answers: readonly string[];
  readonly differences: readonly Difference[];
  readonly samples: number;
  readonly unit: string;
  readonly label: string;
  readonly prompts: readonly Int32Array[];
}

function interventionBlocks({ span, values, own, answers, differences, samples, unit, label, prompts }: Intervention): Block[] {
  const lengths = new Set(prompts.slice(0, values.length).map(({ length }) => length));
  const averaged: TableBlock['columns'] = [
    { label: 'mean', numeric: true, unit },
    { label: '95 % from', numeric: true, unit },
    { label: 'to', numeric: true, unit },
  ];
  const certain = differences.filter(({ average }) => isCertain(average)).length;
  return [
    {
      kind: 'bars',
      title: `${label} when ${JSON.stringify(span)} is set to`,
      caption: 'Everything else in the prompt is held.',
      unit,
      bars: values.map((value, index) => ({
        label: index === 0 ? `${value} (as it stands)` : value,
        value: own[index] as number,
        ...(answers[index] === undefined ? {} : { detail: `answers ${JSON.stringify(answers[index])}` }),
      })),
    },
    {
      kind: 'table',
      title: samples === 0 ? 'Differences between values' : `Differences between values, here and over ${samples} samples`,
      columns: [
        { label: 'from' },
        { label: 'to' },
        { label: 'difference', numeric: true, unit },
        ...(samples === 0 ? [] : averaged),
      ],
      rows: differences.map(({ from, to, difference, average }) => ({
        cells: [
          from,
          to,
          difference,
          ...(average === null ? [] : [average.mean, average.interval?.[0] ?? '', average.interval?.[1] ?? '']),
        ],
      })),
    },
    {
      kind: 'text',
      title: 'How far to trust it',
      ...(samples > 0 && certain === 0 ? { tone: 'warning' as const } : {}),
      lines: [
        samples === 0
          ? 'One prompt: how much of this is its wording is not known. --samples FILE averages over paraphrases.'
          : `Intervals are bootstraps over ${samples} samples${samples < 10 ? ', few' : ''}: they say how well the mean over such samples is known. ${certain} of ${differences.length} differences are away from 0.`,
        'The text itself is changed and nothing else, so the effect is of the words, by whatever way inside the model.',
        lengths.size > 1
          ? `The values have different numbers of tokens (prompts of ${[...lengths].join(', ')} tokens): what stands behind them moves.`
          : 'All values have as many tokens: nothing behind them moves.',
      ],
    },
  ];
}

function isCertain(average: AverageEffect | null): boolean {
  const [low = 0, high = 0] = average?.interval ?? [];
  return low > 0 || high < 0;
}
