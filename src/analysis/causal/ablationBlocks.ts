/** What an ablation shows. */
import type { Axis, Block } from '../../shared/inspection/blocks.ts';
import type { Replacement } from './ablation.ts';
import type { AblatedPart } from './ablationGrid.ts';
import { fixedText } from '../../shared/numberText.ts';

export interface Ablated {
  readonly what: AblatedPart;
  readonly how: Replacement;
  readonly rows: Axis;
  readonly columns: Axis;
  /** [rows, columns] */
  readonly changes: Float64Array;
  readonly baseline: number;
  readonly unit: string;
  readonly label: string;
}

const names: Record<AblatedPart, string> = {
  head: 'each head',
  mlp: 'each MLP',
  attn: 'each attention block',
  resid: 'the stream at each position',
  neuron: 'each neuron',
};
const replacements: Record<Replacement, string> = {
  zero: 'set to zero',
  mean: 'set to its mean over positions',
  resample: 'set to its values on the other prompt',
  shuffle: 'set to its values at other positions',
};

const trust: Record<Replacement, string> = {
  zero: 'Zero is a value the model never saw there: a large change may be the shock, not the loss. Compare with mean or resample.',
  mean: 'The mean keeps what is the same at all positions of this prompt: what a part does everywhere does not show.',
  resample: 'What both prompts share is not taken away: the change is what the other prompt lacks.',
  shuffle: 'One draw of the order of positions, which also brings later words to earlier places: run it with other seeds.',
};

export function ablationBlocks({ what, how, rows, columns, changes, baseline, unit, label }: Ablated): Block[] {
  const width = columns.entries.length;
  const order = Array.from(changes.keys()).sort((a, b) => Math.abs(changes[b] as number) - Math.abs(changes[a] as number));
  const name = (index: number) =>
    [rows.entries[Math.floor(index / width)]?.label, columns.entries[index % width]?.label] as const;
  return [
    {
      kind: 'heat',
      title: `Change of ${label} with ${names[what]} ${replacements[how]}`,
      caption: `Unchanged: ${fixedText(baseline, 3)} ${unit}. Negative: the answer falls without it; positive: it rises.`,
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
        { label: rows.title },
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
      lines: [trust[how], 'Parts that stand in for each other show no change one at a time.'],
    },
  ];
}
