import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import { seedFor } from '../../attribution/seededRandom.ts';
import type { Site } from '../../model/sites.ts';
import { layerRange } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Block } from '../../shared/inspection/blocks.ts';
import { meanOf } from '../faithfulness/interval.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import { patchedValues } from './patchedValues.ts';
import {
  norm,
  pooledActivation,
  pooledPositions,
  type Pooling,
  randomDirections,
  steeredText,
  steeringPatch,
} from './steering.ts';
import { fixedText } from '../../shared/numberText.ts';

const id = 'steer';
const sites = ['resid_pre', 'resid_mid', 'resid_post', 'attn_out', 'mlp_out'] as const;

/** Random directions at each scale. */
const randomDraws = 5;

/** See docs/inside/steer.md. */
export const steer: Tool = {
  id,
  family: 'causal',
  label: 'Steering',
  question: 'What does the model answer when a direction, the difference of two texts, is added inside it?',
  needs: ['capture', 'patch'],
  usesTarget: true,
  parameters: [
    {
      id: 'toward',
      kind: 'text',
      label: 'Toward',
      help: 'text the direction leads to; several, separated by |, are averaged',
      default: '',
      required: true,
      pattern: 'I love this.|This is wonderful.',
    },
    {
      id: 'away',
      kind: 'text',
      label: 'Away from',
      help: 'text it leads away from; several, separated by |, are averaged',
      default: '',
      required: true,
      pattern: 'I hate this.|This is terrible.',
    },
    {
      id: 'site',
      kind: 'choice',
      label: 'Site',
      help: 'where the direction is measured and added',
      choices: sites,
      default: 'resid_post',
    },
    { id: 'layer', kind: 'number', label: 'Layer', help: '-1: the middle one', default: -1, minimum: -1, whole: true },
    {
      id: 'take',
      kind: 'choice',
      label: 'Taken from',
      help: 'the mean over the tokens of a text, or its last token',
      choices: ['mean', 'last'],
      default: 'mean',
    },
    {
      id: 'scales',
      kind: 'text',
      label: 'Scales',
      help: 'how many times the difference is added, separated by commas',
      default: '-4,-2,-1,0,1,2,4',
    },
    {
      id: 'tokens',
      kind: 'number',
      label: 'Text',
      help: 'tokens written at each scale; 0: none',
      default: 12,
      minimum: 0,
      maximum: 512,
      whole: true,
    },
  ],

  async run(context) {
    const { model, prompt, parameters, seed, signal, progress } = context;
    const { layers } = model.info;
    const asked = Number(parameters['layer']);
    if (asked >= layers) throw layerRange(`layer ${asked}`, layers);
    const layer = asked < 0 ? Math.floor(layers / 2) : asked;
    const site: Site = { kind: parameters['site'] as (typeof sites)[number], layer };
    const scales = scalesOf(String(parameters['scales']));
    const { direction, length, forwardPasses: reading } = await steeringDirection(context, site);
    const target = await context.target();
    const whole = withContinuation(prompt.ids, target.continuation).length;
    const random = randomDirections(direction, randomDraws, seedFor('random directions', seed));
    const maxTokens = Number(parameters['tokens']);
    const total = 1 + scales.length * (1 + randomDraws) + scales.length * maxTokens;
    let done = 0;
    const onRun = () => progress('steering', ++done, total);
    const directions = [direction, ...random];
    const sets = directions.flatMap((each) => scales.map((scale) => [steeringPatch(site, each, scale, whole)]));
    const { values, forwardPasses } = await patchedValues({ model, ids: prompt.ids, target, signal, onRun }, [[], ...sets]);
    const baseline = values[0] as number;
    const changes = Array.from(values.subarray(1), (value) => value - baseline);
    const texts: string[] = [];
    let written = 0;
    for (const scale of maxTokens > 0 ? scales : []) {
      const steered = await steeredText(
        model,
        prompt.ids,
        (size) => (scale === 0 ? [] : [steeringPatch(site, direction, scale, size)]),
        maxTokens,
        signal,
      );
      texts.push(steered.text);
      written += steered.ids.length + 1;
      done += maxTokens;
      progress('writing', done, total);
    }
    const points = scales.map((scale, index) => ({
      scale,
      change: changes[index] as number,
      random: random.map((_, draw) => changes[(draw + 1) * scales.length + index] as number),
      text: texts[index] ?? null,
    }));
    const { unit, label } = target.description;
    return {
      data: {
        site: site.kind,
        layer,
        take: parameters['take'],
        directionNorm: norm(direction),
        activationNorm: length,
        baseline,
        points,
        unit,
        target: label,
      },
      blocks: steerBlocks({
        points,
        baseline,
        unit,
        label: quotedTarget(target.description),
        site,
        ratio: norm(direction) / length,
      }),
      forwardPasses: reading + forwardPasses + written,
    };
  },
};

/** @throws E_TOOL_PARAMETER */
function scalesOf(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  const scales = parts.map(Number);
  if (parts.includes('') || !scales.every(Number.isFinite)) {
    throw toolParameter(
      id,
      'scales',
      `${JSON.stringify(text)} is no list of numbers`,
      'write numbers separated by commas: -2,0,2',
    );
  }
  return [...new Set(scales)].sort((a, b) => a - b);
}

/** Mean over the texts of one side less that of the other, [D], and how long the activations are. @throws E_TOOL_PARAMETER */
async function steeringDirection(context: ToolContext, site: Site) {
  const { model, parameters, signal } = context;
  let forwardPasses = 0;
  const side = async (parameter: 'toward' | 'away') => {
    const texts = String(parameters[parameter]).split('|');
    const pooled: Awaited<ReturnType<typeof pooledActivation>>[] = [];
    for (const text of texts) {
      if (text.trim() === '')
        throw toolParameter(id, parameter, 'one of its texts is empty', 'leave no empty text between two |');
      const read = await context.readText(text);
      const { ids } = read;
      const positions = pooledPositions(read, parameters['take'] as Pooling);
      if (positions.length === 0) {
        const why = `${JSON.stringify(text)} is one token, and the first token of a text is like no other: attention rests on it`;
        throw toolParameter(id, parameter, why, 'give longer texts');
      }
      pooled.push(await pooledActivation(model, ids, site, positions, signal));
      forwardPasses += ids.length / context.prompt.ids.length;
    }
    return {
      mean: (index: number) => pooled.reduce((sum, { mean }) => sum + (mean[index] as number), 0) / pooled.length,
      width: pooled[0]?.mean.length ?? 0,
      length: pooled.reduce((sum, { length }) => sum + length, 0) / pooled.length,
    };
  };
  const [toward, away] = [await side('toward'), await side('away')];
  const direction = Float32Array.from({ length: toward.width }, (_, index) => toward.mean(index) - away.mean(index));
  if (!(norm(direction) > 0)) {
    throw toolParameter(id, 'away', 'both texts have the same activation: there is no direction', 'give two texts that differ');
  }
  return { direction, length: (toward.length + away.length) / 2, forwardPasses };
}

interface Steered {
  readonly points: readonly {
    readonly scale: number;
    readonly change: number;
    /** Changes by random directions. */
    readonly random: readonly number[];
    readonly text: string | null;
  }[];
  readonly baseline: number;
  readonly unit: string;
  readonly label: string;
  readonly site: Site;
  /** Length of the direction by that of the activations. */
  readonly ratio: number;
}

function steerBlocks({ points, baseline, unit, label, site, ratio }: Steered): Block[] {
  const where = `${site.kind} of layer ${site.layer}`;
  const beyond = points.filter(
    ({ scale, change, random }) => scale !== 0 && (change < Math.min(...random) || change > Math.max(...random)),
  );
  const others = points.filter(({ scale }) => scale !== 0).length;
  const isNothing = beyond.length === 0 && others > 0;
  return [
    {
      kind: 'curve',
      title: `Change of ${label} when the direction is added at ${where}`,
      caption: `Unchanged: ${fixedText(baseline, 3)} ${unit}. Scale 1 adds the difference of the two texts once, at every position.`,
      x: 'scale',
      y: `change of the answer, ${unit}`,
      series: [
        { label: 'direction', points: points.map(({ scale, change }) => [scale, change] as const) },
        { label: 'random directions', points: points.map(({ scale, random }) => [scale, meanOf(random)] as const) },
      ],
    },
    {
      kind: 'table',
      title: 'What the model writes',
      columns: [
        { label: 'scale', numeric: true },
        { label: 'change', numeric: true, unit },
        { label: 'random', numeric: true, unit },
        { label: 'text' },
      ],
      rows: points.map(({ scale, change, random, text }) => ({ cells: [scale, change, meanOf(random), text ?? ''] })),
    },
    {
      kind: 'text',
      title: 'How far to trust it',
      ...(isNothing ? { tone: 'warning' as const } : {}),
      lines: [
        `The direction is ${(100 * ratio).toFixed(0)} % as long as the activations it was made of: far beyond that, any direction breaks the text.`,
        isNothing
          ? `At no scale does it change the answer more than ${randomDraws} random directions of the same length.`
          : `At ${beyond.length} of ${others} scales the change lies outside the range of ${randomDraws} random directions of the same length.`,
        'Two texts differ in more than what is meant: several pairs, separated by |, average the rest away.',
        'The difference is how the texts are told apart there; that the model uses it so by itself does not follow.',
      ],
    },
  ];
}
