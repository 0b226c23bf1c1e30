import type { Site } from '../../model/sites.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Block, TableBlock } from '../../shared/inspection/blocks.ts';
import { captureSites } from '../activations/captureSites.ts';
import { chosenIndices } from '../tools/chosenIndices.ts';
import type { Tool, ToolContext, ToolOutcome } from '../tools/tool.ts';
import { tokenList } from '../words/tokenList.ts';
import { headWrites } from './headWrites.ts';
import { neuronWrites, rowNorms } from './neuronWrites.ts';
import { type TokenLogit, vocabularyOf, type WrittenTokens } from './vocabularyOf.ts';

/** See docs/inside/weights.md. */
export const weights: Tool = {
  id: 'weights',
  family: 'layers',
  label: 'Weights in words',
  question: 'Which tokens does a head or a neuron write, whatever the prompt?',
  needs: ['capture', 'patch', 'language'],
  usesTarget: false,
  parameters: [
    { id: 'component', kind: 'choice', label: 'Part', help: 'what is looked at', choices: ['head', 'neuron'], default: 'head' },
    { id: 'layer', kind: 'number', label: 'Layer', help: 'its layer, counted from 0', default: 0, minimum: 0, whole: true },
    { id: 'head', kind: 'number', label: 'Head', help: 'its number in the layer', default: 0, minimum: 0, whole: true },
    {
      id: 'neuron',
      kind: 'number',
      label: 'Neuron',
      help: 'its number in the layer; -1: the most active ones at the end of the prompt',
      default: -1,
      minimum: -1,
      whole: true,
    },
    {
      id: 'top',
      kind: 'number',
      label: 'Tokens',
      help: 'tokens listed on each side',
      default: 8,
      minimum: 1,
      maximum: 100,
      whole: true,
    },
    {
      id: 'directions',
      kind: 'number',
      label: 'Directions',
      help: 'of a head: its strongest directions; of neurons: how many',
      default: 8,
      minimum: 1,
      maximum: 1000,
      whole: true,
    },
  ],

  run: (context) => (context.parameters.component === 'head' ? ofHead(context) : ofNeurons(context)),
};

async function ofHead({ model, prompt, parameters, signal, progress }: ToolContext): Promise<ToolOutcome> {
  if (Number(parameters.neuron) >= 0) {
    throw toolParameter('weights', 'neuron', 'a head is looked at, not a neuron', 'use the component neuron');
  }
  const [layer = 0] = chosenIndices('layer', Number(parameters.layer), model.info.layers);
  const [head = 0] = chosenIndices('head', Number(parameters.head), model.info.heads);
  const count = Number(parameters.top);
  progress('reading weights', 0, 2);
  const found = await headWrites(model, prompt.ids, { layer, head }, signal);
  const shown = Math.min(Number(parameters.directions), found.strengths.length);
  progress('reading weights', 1, 2);
  const directions = await vocabularyOf(model, found.directions.subarray(0, shown * model.info.hidden), count, { signal });
  const tokens = await vocabularyOf(model, found.tokens, count, { signal, asked: [...prompt.ids] });
  const whole = found.strengths.reduce((sum, strength) => sum + strength ** 2, 0);
  const shareOf = (direction: number) => (found.strengths[direction] as number) ** 2 / whole;
  const sizes = rowNorms(found.tokens, model.info.hidden);
  const copying = tokens.filter(({ rank }) => rank !== null && rank <= 10).length / tokens.length;
  const name = `L${layer}.H${head}`;
  const blocks: Block[] = [
    table(`What ${name} writes of each word it looks at`, [{ label: 'word' }, { label: 'rank of the word', numeric: true }], {
      written: tokens,
      first: (row) => [prompt.tokens[row]?.text ?? '', tokens[row]?.rank ?? Number.NaN],
      token: (row) => row,
      caption: `The word itself is among the ten most favoured for ${Math.round(100 * copying)} % of the words: a head that copies has nearly 100 %.`,
    }),
    table(
      `Directions ${name} can write along`,
      [
        { label: 'direction', numeric: true },
        { label: 'share', numeric: true },
      ],
      {
        written: directions,
        first: (row) => [row, shareOf(row)],
        caption: 'Right singular vectors of the head’s output projection. The sign is free: either side is written.',
      },
    ),
    trust(found.isLinear),
  ];
  const data = {
    component: 'head',
    layer,
    head,
    copying,
    tokens: tokens.map((written, index) => ({
      index,
      id: prompt.ids[index],
      text: prompt.tokens[index]?.text,
      size: sizes[index],
      ...written,
    })),
    directions: directions.map(({ top, bottom }, index) => ({
      strength: found.strengths[index],
      share: shareOf(index),
      top,
      bottom,
    })),
  };
  return { data, blocks, forwardPasses: 1 };
}

async function ofNeurons({ model, prompt, parameters, signal, progress }: ToolContext): Promise<ToolOutcome> {
  const [layer = 0] = chosenIndices('layer', Number(parameters.layer), model.info.layers);
  const { neurons: width, hidden } = model.info;
  const site: Site = { kind: 'mlp_post', layer };
  progress('reading weights', 0, 2);
  const values = (await captureSites(model, { tokens: prompt.ids, sites: [site] }, signal))(site);
  const last = values.subarray(values.length - width);
  const asked = Number(parameters.neuron);
  if (asked >= width) {
    throw toolParameter('weights', 'neuron', `there is no neuron ${asked}`, `use a number from 0 to ${width - 1}`);
  }
  const chosen = asked >= 0 ? [asked] : mostActive(last).slice(0, Number(parameters.directions));
  const directions = await neuronWrites(
    model,
    chosen.map((neuron) => ({ layer, neuron })),
    signal,
  );
  progress('reading weights', 1, 2);
  const written = await vocabularyOf(model, directions, Number(parameters.top), { signal });
  const sizes = rowNorms(directions, hidden);
  const activation = (row: number) => last[chosen[row] as number] as number;
  const neurons = written.map(({ top, bottom }, row) => ({
    neuron: chosen[row],
    activation: activation(row),
    size: sizes[row],
    top,
    bottom,
  }));
  const columns = [
    { label: 'neuron', numeric: true },
    { label: 'activation', numeric: true },
  ] as const;
  const blocks: Block[] = [
    table(`What neurons of layer ${layer} write`, columns, {
      written,
      first: (row) => [chosen[row] as number, activation(row)],
      caption: 'Activation at the end of the prompt. Where it is negative, the neuron speaks against what it favours.',
    }),
    trust(true),
  ];
  return { data: { component: 'neuron', layer, neurons }, blocks, forwardPasses: 1 };
}

/** Largest magnitude first; of equal ones the lower number. */
function mostActive(activations: Float32Array): number[] {
  const size = (neuron: number) => Math.abs(activations[neuron] as number);
  return [...activations.keys()].sort((a, b) => size(b) - size(a) || a - b);
}

function table(
  title: string,
  columns: TableBlock['columns'],
  rows: {
    readonly written: readonly WrittenTokens[];
    readonly first: (row: number) => readonly (string | number)[];
    readonly token?: (row: number) => number;
    readonly caption: string;
  },
): TableBlock {
  return {
    kind: 'table',
    title,
    caption: rows.caption,
    columns: [...columns, { label: 'for' }, { label: 'against' }],
    rows: rows.written.map(({ top, bottom }, row) => ({
      cells: [...rows.first(row), listed(top), listed(bottom)],
      ...(rows.token === undefined ? {} : { tokens: [rows.token(row)] }),
    })),
  };
}

function listed(tokens: readonly TokenLogit[]): string {
  return tokenList(tokens.map(({ text }) => text));
}

function trust(isLinear: boolean): Block {
  return {
    kind: 'text',
    title: 'How far to trust it',
    tone: isLinear ? 'finding' : 'warning',
    lines: isLinear
      ? ['This is what the weights say straight to the answer. Most of what a part writes is read by later layers instead.']
      : ['This model normalises what all heads write together: the directions are right, their sizes are not.'],
  };
}
