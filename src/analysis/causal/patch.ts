import { oneLayerParameter } from './oneLayerParameter.ts';
import { spearman } from '../../attribution/spearman.ts';
import type { LayerSite } from '../../model/sites.ts';
import { methodUnsupported } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Axis, Block, HeatBlock } from '../../shared/inspection/blocks.ts';
import { chosenIndices } from '../tools/chosenIndices.ts';
import type { Tool, ToolPrompt } from '../tools/tool.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import type { LayerActivations } from './activationRows.ts';
import { attributionPatching } from './attributionPatching.ts';
import { gridRows, headAxis, layerAxis, pairAxis } from './axes.ts';
import { patchedValues } from './patchedValues.ts';
import { type PromptPair, readPromptPair, recovered } from './promptPair.ts';
import { fixedText } from '../../shared/numberText.ts';

const sites = ['resid_pre', 'resid_mid', 'resid_post', 'attn_out', 'mlp_out', 'z'] as const satisfies readonly LayerSite[];
const estimates = ['none', 'beside', 'only'] as const;

/** See docs/inside/patch.md. */
export const patch: Tool = {
  id: 'patch',
  family: 'causal',
  label: 'Activation patching',
  question: 'Which layer, position or head carries what makes the difference between two prompts?',
  needs: ['capture', 'patch'],
  usesTarget: true,
  parameters: [
    {
      id: 'corrupt',
      kind: 'prompt',
      label: 'Corrupted prompt',
      help: 'the same prompt with the decisive words changed, as many tokens',
      required: true,
    },
    {
      id: 'site',
      kind: 'choice',
      label: 'Site',
      help: 'what is put from one run into the other',
      choices: sites,
      default: 'resid_pre',
    },
    {
      id: 'by',
      kind: 'choice',
      label: 'By',
      help: 'one patch a position, or one a head (site z)',
      choices: ['position', 'head'],
      default: 'position',
    },
    {
      id: 'direction',
      kind: 'choice',
      label: 'Direction',
      help: 'clean activations into the corrupted run, or corrupted ones into the clean run',
      choices: ['denoise', 'noise'],
      default: 'denoise',
    },
    {
      id: 'estimate',
      kind: 'choice',
      label: 'Estimate',
      help: 'attribution patching, a first-order estimate in one gradient: none, beside the exact values, or instead of them',
      choices: estimates,
      default: 'none',
    },
    oneLayerParameter,
  ],

  async run(context) {
    const { model, parameters, signal, progress } = context;
    const site = parameters['site'] as (typeof sites)[number];
    const by = parameters['by'] as 'position' | 'head';
    const estimate = parameters['estimate'] as (typeof estimates)[number];
    const isDenoise = parameters['direction'] === 'denoise';
    if ((by === 'head') !== (site === 'z')) {
      const action = by === 'head' ? 'add --site z' : 'add --by head, or choose another site';
      throw toolParameter('patch', 'by', `the site ${site} cannot be patched by ${by}`, action);
    }
    if (estimate !== 'none' && !model.info.can.gradient)
      throw methodUnsupported('attribution patching', 'gradients', ['patch --estimate none']);
    const layers = chosenIndices('layer', Number(parameters['layer']), model.info.layers);
    const pair = await readPromptPair(context, 'patch', 'corrupt', [site]);
    const { clean, corrupt, target } = pair;
    const base = isDenoise ? corrupt : clean;
    const [source, own] = activationsAt(pair, site, isDenoise);
    const columns = by === 'head' ? headAxis(model.info.heads) : pairAxis(clean, corrupt);
    const width = columns.entries.length;
    let forwardPasses = 2;
    let values: Float64Array | null = null;
    if (estimate !== 'only') {
      const sets = layers.flatMap((layer) =>
        Array.from({ length: width }, (_, column) => [
          by === 'head' ? source.patchHead(layer, column) : source.patchPosition(layer, column),
        ]),
      );
      let done = 0;
      const onRun = () => progress('patching', ++done, sets.length);
      const exact = await patchedValues({ model, ids: base.ids, target, signal, onRun }, sets);
      forwardPasses += exact.forwardPasses;
      values = exact.values;
    }
    let first: Float64Array | null = null;
    if (estimate !== 'none') {
      progress('attribution patching', 0, 1);
      const place = { site, by, layers };
      first = await attributionPatching(model, pair, place, { source, base: own, baseIsClean: !isDenoise }, signal);
      // One forward and one backward pass.
      forwardPasses += 3;
    }
    const shares = values?.map((value) => recovered(pair, value)) ?? null;
    const estimated = first?.map((change) => recovered(pair, (isDenoise ? pair.corruptValue : pair.cleanValue) + change)) ?? null;
    // Two cells are always in order, or not.
    const correlation = shares === null || estimated === null || shares.length < 3 ? null : spearman(shares, estimated);
    return {
      data: {
        site,
        by,
        direction: parameters['direction'],
        rows: layers,
        columns: by === 'head' ? columns.entries.map(({ label }) => label) : clean.tokens.map(({ text }) => text),
        ...(by === 'head' ? {} : { corruptColumns: corrupt.tokens.map(({ text }) => text) }),
        values: shares === null ? null : gridRows(shares, width),
        ...(estimated === null ? {} : { estimated: gridRows(estimated, width) }),
        ...(correlation === null ? {} : { rankCorrelation: correlation }),
        clean: pair.cleanValue,
        corrupt: pair.corruptValue,
        unit: target.description.unit,
        target: target.description.label,
      },
      blocks: patchBlocks({ pair, isDenoise, columns, layers, shares, estimated, correlation }),
      forwardPasses,
    };
  },
};

/** Of the run the patches come from, and of the one they go into. */
function activationsAt(pair: PromptPair, site: LayerSite, isDenoise: boolean): [LayerActivations, LayerActivations] {
  const [clean, corrupt] = [pair.cleanActivations.get(site), pair.corruptActivations.get(site)];
  if (clean === undefined || corrupt === undefined) throw new Error(`no activations at ${site}`);
  return isDenoise ? [clean, corrupt] : [corrupt, clean];
}

interface Patched {
  readonly pair: PromptPair;
  readonly isDenoise: boolean;
  readonly columns: Axis;
  readonly layers: readonly number[];
  readonly shares: Float64Array | null;
  readonly estimated: Float64Array | null;
  readonly correlation: number | null;
}

function patchBlocks({ pair, isDenoise, columns, layers, shares, estimated, correlation }: Patched): Block[] {
  const { cleanValue, corruptValue, target, differing, clean, corrupt } = pair;
  const { unit } = target.description;
  const grid = (title: string, values: Float64Array): HeatBlock => ({
    kind: 'heat',
    title,
    caption: `1 = the clean run (${fixedText(cleanValue, 3)} ${unit}), 0 = the corrupted run (${fixedText(corruptValue, 3)} ${unit})`,
    rows: layerAxis(layers),
    columns,
    values: Float32Array.from(values),
    unit: 'recovered share',
    scale: 'signed',
  });
  const answer = quotedTarget(target.description);
  const what = isDenoise
    ? `What a clean activation brings back: ${answer}`
    : `What is left with a corrupted activation: ${answer}`;
  const words = ({ tokens }: ToolPrompt, position: number) => JSON.stringify(tokens[position]?.text ?? '');
  const changed = differing.map((position) => `${words(clean, position)} against ${words(corrupt, position)}`).join(', ');
  return [
    ...(shares === null ? [] : [grid(what, shares)]),
    ...(estimated === null ? [] : [grid('Attribution patching: first-order estimate', estimated)]),
    {
      kind: 'text',
      title: 'How far to trust it',
      lines: [
        `The prompts differ at ${changed}; only what depends on that can show.`,
        ...(correlation === null ? [] : [`Rank correlation of estimate and exact values: ${fixedText(correlation, 2)}.`]),
        ...(shares === null
          ? [
              'These are estimates only: large changes and saturated attention are where they fail. --estimate beside measures it.',
            ]
          : []),
        isDenoise
          ? 'Restoring shows what is enough; --direction noise shows what is needed.'
          : 'Breaking shows what is needed; --direction denoise shows what is enough.',
      ],
    },
  ];
}
