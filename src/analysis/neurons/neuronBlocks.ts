/** Neurons as a table, on the prompt, and in a text. */
import { spearman } from '../../attribution/spearman.ts';
import type { Block, TableBlock } from '../../shared/inspection/blocks.ts';
import type { Token } from '../../shared/tokens.ts';
import type { TokenLogit } from '../weights/vocabularyOf.ts';
import { tokenList } from '../words/tokenList.ts';
import type { NeuronEffect } from './neuronEffects.ts';
import type { NeuronExample, NeuronExamples } from './neuronExamples.ts';
import { fixedText, preciseText } from '../../shared/numberText.ts';

export interface NeuronReport extends NeuronEffect {
  /** The target minus the target without the neuron, at the asked positions, in the target's unit. */
  readonly ablation: number;
  readonly top: readonly TokenLogit[];
  readonly bottom: readonly TokenLogit[];
}

export interface NeuronPicture {
  readonly reports: readonly NeuronReport[];
  /** [T] of the first neuron. */
  readonly activations: Float32Array;
  readonly tokens: readonly Token[];
  readonly examples: NeuronExamples | null;
  readonly unit: string;
  readonly isNamed: boolean;
}

export function neuronBlocks(picture: NeuronPicture): Block[] {
  const { reports, activations, tokens, examples, isNamed } = picture;
  const [first] = reports;
  if (first === undefined) return [];
  const name = nameOf(first);
  const peaks = [...activations.keys()].sort((a, b) => (activations[b] as number) - (activations[a] as number)).slice(0, 10);
  return [
    neuronTable(picture),
    {
      kind: 'prompt',
      title: isNamed ? `Activation of ${name}` : `Activation of ${name}, the strongest`,
      unit: 'activation',
      signed: true,
      scores: activations,
    },
    {
      kind: 'bars',
      title: `Words of the prompt at which ${name} is most active`,
      unit: 'activation',
      bars: peaks.map((token) => ({ label: tokens[token]?.text ?? '', value: activations[token] as number, tokens: [token] })),
    },
    ...(examples === null ? [] : exampleTables(name, examples)),
    { kind: 'text', title: 'How far to trust it', lines: trust(picture) },
  ];
}

function nameOf({ layer, neuron }: Pick<NeuronEffect, 'layer' | 'neuron'>): string {
  return `L${layer}.N${neuron}`;
}

function neuronTable({ reports, tokens, unit, isNamed }: NeuronPicture): TableBlock {
  const hasEffect = reports.some(({ effect }) => effect !== null);
  const listed = (words: readonly TokenLogit[]) => tokenList(words.map(({ text }) => text));
  return {
    kind: 'table',
    title: isNamed ? 'The neuron' : 'The strongest neurons',
    caption: 'For and against: tokens it favours where it is positive; where it is negative, the other way round.',
    columns: [
      { label: 'neuron' },
      { label: 'at' },
      { label: 'activation', numeric: true },
      ...(hasEffect ? [{ label: 'activation × gradient', numeric: true, unit } as const] : []),
      { label: 'loss without it', numeric: true, unit },
      { label: 'for' },
      { label: 'against' },
    ],
    rows: reports.map((report) => ({
      cells: [
        nameOf(report),
        tokens[report.position]?.text ?? '',
        report.activation,
        ...(hasEffect ? [report.effect ?? Number.NaN] : []),
        report.ablation,
        listed(report.top),
        listed(report.bottom),
      ],
      ...(report.position < tokens.length ? { tokens: [report.position] } : {}),
    })),
  };
}

function exampleTables(name: string, examples: NeuronExamples): Block[] {
  const table = (title: string, rows: readonly NeuronExample[]): TableBlock => ({
    kind: 'table',
    title,
    columns: [{ label: 'activation', numeric: true }, { label: 'before' }, { label: 'token' }, { label: 'after' }],
    rows: rows.map(({ activation, before, token, after }) => ({ cells: [activation, before, token, after] })),
  });
  const { tokens, mean, deviation, positive, highest, lowest } = examples;
  return [
    {
      ...table(`Where in the text ${name} is highest`, highest),
      caption: `${tokens} tokens: mean ${preciseText(mean, 3)}, deviation ${deviation.toPrecision(3)}, above 0 at ${Math.round(100 * positive)} %.`,
    },
    table(`Where in the text ${name} is lowest`, lowest),
  ];
}

function trust({ reports }: NeuronPicture): string[] {
  const compared = reports.filter(({ effect }) => effect !== null);
  const lines = ['What a neuron writes is its straight way to the answer; later layers may read it otherwise.'];
  if (compared.length < 3) return lines;
  const correlation = spearman(
    compared.map(({ effect }) => effect ?? 0),
    compared.map(({ ablation }) => ablation),
  );
  return [
    `Activation × gradient against the measured loss: rank correlation ${fixedText(correlation, 2)} over ${compared.length} neurons.`,
    ...lines,
  ];
}
