import { oneLayerParameter } from './oneLayerParameter.ts';
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import { seededRandom } from '../../attribution/seededRandom.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import { chosenIndices } from '../tools/chosenIndices.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import { ablation, type AblationSource, displaced, type Replacement, replacements } from './ablation.ts';
import { ablationBlocks } from './ablationBlocks.ts';
import { ablatedParts, type AblatedPart, ablatedSites, ablationGrid } from './ablationGrid.ts';
import { type LayerActivations, layerActivations } from './activationRows.ts';
import { gridRows } from './axes.ts';
import { patchedValues } from './patchedValues.ts';

/** Neurons that are looked at where none are named: the most active of the layer. */
const neuronsShown = 20;

/** See docs/inside/ablate.md. */
export const ablate: Tool = {
  id: 'ablate',
  family: 'causal',
  label: 'Ablation',
  question: 'What changes when a head, an MLP, an attention block, a position or a neuron is switched off?',
  needs: ['capture', 'patch'],
  usesTarget: true,
  parameters: [
    {
      id: 'what',
      kind: 'choice',
      label: 'What',
      help: 'what is switched off, one at a time; heads by position and neurons need a layer',
      choices: ablatedParts,
      default: 'head',
    },
    {
      id: 'by',
      kind: 'choice',
      label: 'By',
      help: 'a part at all positions at once, or at each position alone (the residual stream always)',
      choices: ['part', 'position'],
      default: 'part',
    },
    {
      id: 'how',
      kind: 'choice',
      label: 'How',
      help: 'put in its place: nothing, its mean over the positions of the same run, its values on another prompt, or at other positions',
      choices: replacements,
      default: 'zero',
    },
    oneLayerParameter,
    {
      id: 'neurons',
      kind: 'text',
      label: 'Neurons',
      help: `which neurons of the layer; left empty: the ${neuronsShown} most active ones`,
      default: '',
      pattern: '12, 345',
    },
    { id: 'other', kind: 'prompt', label: 'Other prompt', help: 'for resample: where the values are taken from' },
  ],

  async run(context) {
    const { model, prompt, parameters, signal, progress } = context;
    const what = parameters['what'] as AblatedPart;
    const how = parameters['how'] as Replacement;
    const by = parameters['by'] as 'part' | 'position';
    const layers = chosenIndices('layer', Number(parameters['layer']), model.info.layers);
    const given = givenNeurons(context, what);
    // What cannot be asked is refused before anything is computed.
    const choice = { what, by, layers, heads: model.info.heads, prompt };
    ablationGrid({ ...choice, neurons: given });
    requireOther(context, how);
    const target = await context.target();
    const source = await ablationSource(context, what, how, target);
    const neurons = what !== 'neuron' || given.length > 0 ? given : mostActive(source, layers[0] ?? 0, model.info.neurons);
    const { rows, columns, places } = ablationGrid({ ...choice, neurons });
    let done = 0;
    const onRun = () => progress('ablating', ++done, places.length + 1);
    const { values, forwardPasses } = await patchedValues({ model, ids: prompt.ids, target, signal, onRun }, [
      [],
      ...places.map((place) => [ablation(source, place)]),
    ]);
    const baseline = values[0] as number;
    const changes = Float64Array.from(values.subarray(1), (value) => value - baseline);
    const { unit, label } = target.description;
    return {
      data: {
        what,
        by: what === 'resid' ? 'position' : by,
        how,
        rows: rows.title === 'layer' ? layers : rows.entries.map((entry) => entry.label),
        columns: columns.entries.map((entry) => entry.label),
        values: gridRows(changes, columns.entries.length),
        baseline,
        unit,
        target: label,
        ...(how === 'shuffle' ? { order: source.order } : {}),
      },
      blocks: ablationBlocks({ what, how, rows, columns, changes, baseline, unit, label: quotedTarget(target.description) }),
      forwardPasses: forwardPasses + (source.own === null ? 0 : 1) + (source.other === null ? 0 : 1),
    };
  },
};

/** A second prompt is there when values come from it, and not when they do not. @throws E_TOOL_PARAMETER */
function requireOther({ parameters }: ToolContext, how: Replacement): void {
  const isGiven = parameters['other'] !== '';
  const refuse = (why: string, action: string) => toolParameter('ablate', 'other', why, action);
  if (how === 'resample' && !isGiven) throw refuse('resample needs a second prompt', 'name one, or use zero, mean or shuffle');
  if (how !== 'resample' && isGiven) throw refuse(`${how} takes nothing from another prompt`, 'leave it away, or use resample');
}

/** Numbers of neurons as they were given, each once; none: the most active ones. @throws E_TOOL_PARAMETER */
function givenNeurons({ model, parameters }: ToolContext, what: AblatedPart): number[] {
  const text = String(parameters['neurons']).trim();
  if (text === '') return [];
  const refuse = (why: string, action: string) => toolParameter('ablate', 'neurons', why, action);
  if (what !== 'neuron') throw refuse(`a ${what} is switched off, not a neuron`, 'add --what neuron');
  const neurons = text.split(/[\s,]+/).map(Number);
  const last = model.info.neurons - 1;
  const wrong = neurons.findIndex((neuron) => !Number.isInteger(neuron) || neuron < 0 || neuron > last);
  if (wrong >= 0) {
    const found = JSON.stringify(text.split(/[\s,]+/)[wrong]);
    throw refuse(`${found} is no neuron of a layer`, `give numbers from 0 to ${last}, with commas between them`);
  }
  return [...new Set(neurons)];
}

async function ablationSource(
  context: ToolContext,
  what: AblatedPart,
  how: Replacement,
  { continuation }: ResolvedTarget,
): Promise<AblationSource> {
  const { model, prompt, seed, signal } = context;
  const site = ablatedSites[what];
  const read = async (ids: Int32Array): Promise<LayerActivations | null> =>
    (await layerActivations(model, withContinuation(ids, continuation), [site], signal)).activations.get(site) ?? null;
  const length = prompt.ids.length + continuation.length;
  if (how === 'shuffle' && length < 2) {
    throw toolParameter(
      'ablate',
      'how',
      'a prompt of one token has no other position',
      'use zero, or resample with another prompt',
    );
  }
  return {
    what,
    how,
    length,
    own: how === 'shuffle' || what === 'neuron' ? await read(prompt.ids) : null,
    other: how === 'resample' ? await read((await context.readPrompt(String(context.parameters['other']))).ids) : null,
    order: how === 'shuffle' ? displaced(length, seededRandom(seed)) : [],
  };
}

/** Neurons by their largest activation, of any sign, over the positions. */
function mostActive({ own, length }: AblationSource, layer: number, neurons: number): number[] {
  const largest = new Float64Array(neurons);
  for (let position = 0; position < length; position++) {
    own?.at(layer, position).forEach((value, neuron) => {
      largest[neuron] = Math.max(largest[neuron] as number, Math.abs(value));
    });
  }
  const order = Array.from(largest.keys()).sort((a, b) => (largest[b] as number) - (largest[a] as number) || a - b);
  return order.slice(0, neuronsShown);
}
