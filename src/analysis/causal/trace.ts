import { oneLayerParameter } from './oneLayerParameter.ts';
import { estimatedMean } from '../../attribution/meanInterval.ts';
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import { gaussian, seededRandom } from '../../attribution/seededRandom.ts';
import type { LayerSite } from '../../model/sites.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Block, HeatBlock } from '../../shared/inspection/blocks.ts';
import { chosenIndices } from '../tools/chosenIndices.ts';
import type { Tool, ToolPrompt } from '../tools/tool.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import { layerActivations } from './activationRows.ts';
import { gridRows, layerAxis, positionAxis } from './axes.ts';
import { traceOnce, type TraceGrid } from './causalTracing.ts';
import { embeddingSpread } from './embeddingSpread.ts';
import { fixedText } from '../../shared/numberText.ts';

const kinds = ['resid', 'attn', 'mlp'] as const;
type Kind = (typeof kinds)[number];

const sites: Record<Kind, LayerSite> = { resid: 'resid_post', attn: 'attn_out', mlp: 'mlp_out' };
const kindNames: Record<Kind, string> = { resid: 'the residual stream', attn: 'attention', mlp: 'the MLP' };

/** See docs/inside/trace.md. */
export const trace: Tool = {
  id: 'trace',
  family: 'causal',
  label: 'Causal tracing',
  question: 'Where does the model keep and move what it knows about a subject?',
  needs: ['capture', 'patch'],
  usesTarget: true,
  parameters: [
    {
      id: 'subject',
      kind: 'text',
      label: 'Subject',
      help: 'the words of the prompt that are blurred',
      default: '',
      required: true,
      pattern: 'France',
    },
    {
      id: 'restore',
      kind: 'choice',
      label: 'Restored',
      help: 'what is put back, at each layer and position',
      choices: kinds,
      default: 'resid',
    },
    {
      id: 'window',
      kind: 'number',
      label: 'Window',
      help: 'layers put back together, for attention and MLP',
      default: 10,
      minimum: 1,
      maximum: 1000,
      whole: true,
    },
    {
      id: 'samples',
      kind: 'number',
      label: 'Samples',
      help: 'draws of the noise',
      default: 3,
      minimum: 1,
      maximum: 100,
      whole: true,
    },
    {
      id: 'noise',
      kind: 'number',
      label: 'Noise',
      help: 'standard deviations of the embeddings',
      default: 3,
      minimum: 0.01,
      maximum: 100,
    },
    oneLayerParameter,
  ],

  async run(context) {
    const { model, prompt, parameters, seed, signal, progress } = context;
    const kind = parameters['restore'] as Kind;
    const samples = Number(parameters['samples']);
    const layers = chosenIndices('layer', Number(parameters['layer']), model.info.layers);
    const subject = subjectPositions(prompt, String(parameters['subject']));
    const target = await context.target();
    const tokens = withContinuation(prompt.ids, target.continuation);
    const run = await layerActivations(model, tokens, [sites[kind]], signal, target.reads(prompt.ids.length));
    const clean = run.activations.get(sites[kind]);
    if (clean === undefined) throw new Error(`no activations at ${sites[kind]}`);
    const sigma = Number(parameters['noise']) * (await embeddingSpread(model, signal));
    const cleanValue = target.value(run.read);
    const random = seededRandom(seed);
    const total = samples * (1 + layers.length * prompt.ids.length);
    let done = 0;
    const grids: TraceGrid[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const noise = Float32Array.from({ length: subject.length * model.info.hidden }, () => sigma * gaussian(random));
      grids.push(
        await traceOnce(
          {
            model,
            ids: prompt.ids,
            target,
            subject,
            clean,
            window: windowOf(kind, Number(parameters['window'])),
            layers,
            signal,
            onRun: () => progress('tracing', ++done, total),
          },
          noise,
        ),
      );
    }
    const estimates = Array.from(grids[0]?.restored ?? [], (_, cell) =>
      estimatedMean(grids.map((grid) => grid.restored[cell] as number)),
    );
    const cells = Float64Array.from(estimates, ({ mean }) => mean);
    const margins = Float64Array.from(estimates, ({ mean, interval }) => interval[1] - mean);
    const corrupt = estimatedMean(grids.map((grid) => grid.corrupt));
    const width = prompt.ids.length;
    const { unit, label } = target.description;
    const traced: Traced = {
      prompt,
      kind,
      subject,
      cells,
      margins,
      clean: cleanValue,
      corrupt: corrupt.mean,
      layers,
      unit,
      label: quotedTarget(target.description),
      samples,
      window: Number(parameters['window']),
    };
    return {
      data: {
        restore: kind,
        subject: { positions: subject, text: subject.map((position) => prompt.tokens[position]?.text).join('') },
        rows: layers,
        columns: prompt.tokens.map(({ text }) => text),
        values: gridRows(cells, width),
        ...(samples > 1 ? { margins: gridRows(margins, width) } : {}),
        clean: cleanValue,
        corrupt: corrupt.mean,
        sigma,
        samples,
        unit,
        target: label,
      },
      blocks: traceBlocks(traced),
      forwardPasses: 2 + grids.reduce((sum, grid) => sum + grid.forwardPasses, 0),
    };
  },
};

function windowOf(kind: Kind, layers: number): { readonly before: number; readonly after: number } {
  if (kind === 'resid') return { before: 0, after: 0 };
  return { before: Math.floor(layers / 2), after: layers - 1 - Math.floor(layers / 2) };
}

/** Tokens of the one place where the words stand. @throws E_TOOL_PARAMETER when they stand nowhere, or more than once */
function subjectPositions({ text, tokens }: Pick<ToolPrompt, 'text' | 'tokens'>, subject: string): number[] {
  const words = subject.trim();
  const start = words === '' ? -1 : text.indexOf(words);
  if (start < 0) {
    throw toolParameter(
      'trace',
      'subject',
      `the prompt does not contain ${JSON.stringify(subject)}`,
      'give words as they stand in the prompt',
    );
  }
  if (text.includes(words, start + 1)) {
    throw toolParameter(
      'trace',
      'subject',
      `${JSON.stringify(words)} stands in the prompt more than once`,
      'give more words around it, so that one place is meant',
    );
  }
  const end = start + words.length;
  return tokens.flatMap((token, position) =>
    !token.special && token.start < end && token.end > start && token.end > token.start ? [position] : [],
  );
}

interface Traced {
  readonly prompt: ToolPrompt;
  readonly kind: Kind;
  readonly subject: readonly number[];
  /** [layers, T] */
  readonly cells: Float64Array;
  readonly margins: Float64Array;
  readonly clean: number;
  readonly corrupt: number;
  readonly layers: readonly number[];
  readonly unit: string;
  readonly label: string;
  readonly samples: number;
  readonly window: number;
}

function traceBlocks(traced: Traced): Block[] {
  const { prompt, kind, subject, cells, margins, clean, corrupt, layers, unit, label, samples, window } = traced;
  const heat: HeatBlock = {
    kind: 'heat',
    title: `${label} after ${kindNames[kind]} is put back${kind === 'resid' ? '' : `, ${window} layers at a time`}`,
    caption: `Clean: ${fixedText(clean, 3)} ${unit}; with the subject blurred: ${fixedText(corrupt, 3)} ${unit}. Shown: what putting back adds.`,
    rows: layerAxis(layers),
    columns: positionAxis(prompt),
    values: Float32Array.from(cells, (value) => value - corrupt),
    unit,
    scale: 'signed',
    ...(samples > 1
      ? { details: Array.from(margins, (margin) => `± ${margin.toFixed(3)} ${unit}, 95 %, ${samples} draws`) }
      : {}),
  };
  const blurred = subject.map((position) => JSON.stringify(prompt.tokens[position]?.text ?? '')).join(' ');
  const weak = Math.abs(clean - corrupt) < 0.5 && unit !== 'probability';
  return [
    heat,
    {
      kind: 'text',
      title: 'How far to trust it',
      ...(weak ? { tone: 'warning' as const } : {}),
      lines: [
        `Blurred: ${blurred}. The noise changes the answer by ${fixedText(clean - corrupt, 3)} ${unit}${weak ? ': too little to trace anything' : ''}.`,
        samples > 1
          ? `Means over ${samples} draws of the noise; each cell tells its interval.`
          : 'One draw of the noise: --samples 10 tells how much it depends on it.',
        'The subject’s own positions restore early by construction; look at what restores later, and elsewhere.',
      ],
    },
  ];
}
