import type { Patch } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { layerRange } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Axis, Block } from '../../shared/inspection/blocks.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { gridRows, headAxis, layerAxis, positionAxis } from './axes.ts';
import { type LayerActivations, layerActivations } from './activationRows.ts';
import { patchedValues } from './patchedValues.ts';

const whats = ['head', 'mlp', 'attn', 'resid'] as const;
type What = (typeof whats)[number];
const hows = ['zero', 'mean', 'resample'] as const;
type How = (typeof hows)[number];

const sites: Record<What, 'z' | 'mlp_out' | 'attn_out' | 'resid_post'> = {
  head: 'z',
  mlp: 'mlp_out',
  attn: 'attn_out',
  resid: 'resid_post',
};

/** See docs/inside/ablate.md. */
export const ablate: Tool = {
  id: 'ablate',
  family: 'causal',
  label: 'Ablation',
  question: 'What changes when a head, an MLP, an attention block, a position or a neuron is switched off?',
  needs: ['capture', 'patch'],
  usesTarget: true,
  parameters: [
    { id: 'what', kind: 'choice', label: 'What', help: 'what is switched off, one at a time', choices: whats, default: 'head' },
    {
      id: 'how',
      kind: 'choice',
      label: 'How',
      help: 'put in its place: nothing, its mean over the positions of the same run, or its values on another prompt',
      choices: hows,
      default: 'zero',
    },
    { id: 'layer', kind: 'number', label: 'Layer', help: 'one layer only; -1: all', default: -1, minimum: -1, whole: true },
    { id: 'other', kind: 'prompt', label: 'Other prompt', help: 'for resample: where the values are taken from' },
  ],

  async run(context) {
    const { model, prompt, parameters, signal, progress } = context;
    const what = parameters['what'] as What;
    const how = parameters['how'] as How;
    const layers = chosenLayers(Number(parameters['layer']), model.info.layers);
    const target = await context.target();
    const columns = columnsOf(context, what);
    const other = how === 'resample' ? await otherActivations(context, what) : null;
    const sets = layers.flatMap((layer) =>
      columns.entries.map((_, column): Patch[] => [ablation(context, what, how, layer, column, other)]),
    );
    let done = 0;
    const onRun = () => progress('ablating', ++done, sets.length + 1);
    const { values, forwardPasses } = await patchedValues({ model, ids: prompt.ids, target, signal, onRun }, [[], ...sets]);
    const baseline = values[0] as number;
    const changes = Float64Array.from(values.subarray(1), (value) => value - baseline);
    const rows: Axis = { ...layerAxis(model.info.layers), entries: layers.map((layer) => ({ label: `L${layer}` })) };
    const { unit, label } = target.description;
    return {
      data: {
        what,
        how,
        rows: layers,
        columns: columns.entries.map((entry) => entry.label),
        values: gridRows(changes, columns.entries.length),
        baseline,
        unit,
        target: label,
      },
      blocks: ablationBlocks({ what, how, rows, columns, changes, baseline, unit, label }),
      forwardPasses: forwardPasses + (other === null ? 0 : 1),
    };
  },
};

function chosenLayers(layer: number, layers: number): number[] {
  if (layer >= layers) throw layerRange(`layer ${layer}`, layers);
  return layer >= 0 ? [layer] : Array.from({ length: layers }, (_, index) => index);
}

function columnsOf({ model, prompt }: ToolContext, what: What): Axis {
  switch (what) {
    case 'head':
      return headAxis(model.info.heads);
    case 'resid':
      return positionAxis(prompt);
    default:
      return { title: '', entries: [{ label: what === 'mlp' ? 'MLP' : 'attention' }] };
  }
}

async function otherActivations(context: ToolContext, what: What): Promise<LayerActivations | null> {
  const text = String(context.parameters['other']);
  if (text === '') throw toolParameter('ablate', 'other', 'resample needs a second prompt', 'name one, or use zero or mean');
  const other = await context.readPrompt(text);
  const { activations } = await layerActivations(context.model, other.ids, [sites[what]], context.signal);
  return activations.get(sites[what]) ?? null;
}

function ablation(
  { prompt }: ToolContext,
  what: What,
  how: How,
  layer: number,
  column: number,
  other: LayerActivations | null,
): Patch {
  const site: Site = { kind: sites[what], layer };
  const place = what === 'head' ? { heads: [column] } : what === 'resid' ? { positions: [column] } : {};
  if (other !== null) return other.resampled(layer, place, prompt.ids.length);
  return { site, ...place, operation: { kind: how === 'mean' ? 'mean' : 'zero' } };
}

interface Ablated {
  readonly what: What;
  readonly how: How;
  readonly rows: Axis;
  readonly columns: Axis;
  /** [rows, columns] */
  readonly changes: Float64Array;
  readonly baseline: number;
  readonly unit: string;
  readonly label: string;
}

const names: Record<What, string> = {
  head: 'each head',
  mlp: 'each MLP',
  attn: 'each attention block',
  resid: 'each position of the stream',
};
const replacements: Record<How, string> = {
  zero: 'set to zero',
  mean: 'set to its mean over positions',
  resample: 'set to its values on the other prompt',
};

function ablationBlocks({ what, how, rows, columns, changes, baseline, unit, label }: Ablated): Block[] {
  const width = columns.entries.length;
  const order = Array.from(changes.keys()).sort((a, b) => Math.abs(changes[b] as number) - Math.abs(changes[a] as number));
  const name = (index: number) =>
    [rows.entries[Math.floor(index / width)]?.label, columns.entries[index % width]?.label] as const;
  return [
    {
      kind: 'heat',
      title: `Change of ${JSON.stringify(label)} with ${names[what]} ${replacements[how]}`,
      caption: `Unchanged: ${baseline.toFixed(3)} ${unit}. Negative: the answer falls without it; positive: it rises.`,
      rows,
      columns,
      values: Float32Array.from(changes),
      unit,
      scale: 'signed',
    },
    {
      kind: 'table',
      title: 'Strongest',
      columns: [
        { label: 'layer' },
        { label: columns.title === '' ? 'part' : columns.title },
        { label: 'change', numeric: true, unit },
      ],
      rows: order.slice(0, 20).map((index) => ({
        cells: [name(index)[0] ?? '', name(index)[1] ?? '', changes[index] as number],
        ...(columns.entries[index % width]?.tokens === undefined ? {} : { tokens: columns.entries[index % width]?.tokens ?? [] }),
      })),
    },
    {
      kind: 'text',
      title: 'How far to trust it',
      lines: [
        how === 'zero'
          ? 'Zero is a value the model never saw there: a large change may be the shock, not the loss. Compare with mean or resample.'
          : how === 'mean'
            ? 'The mean keeps what is the same at all positions of this prompt: what a part does everywhere does not show.'
            : 'What both prompts share is not taken away: the change is what the other prompt lacks.',
        'Parts that stand in for each other show no change one at a time.',
      ],
    },
  ];
}
