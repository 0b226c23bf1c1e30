/** The pictures and tables of label anchors. */
import type { CurveBlock, GraphBlock, HeatBlock, TableBlock } from '../../shared/inspection/blocks.ts';
import type { AnchorFlow, ExampleFlow, HeadSum } from './anchorFlow.ts';
import type { AnchorPlaces } from './anchorPlaces.ts';
import type { CaseStudy } from './caseStudy.ts';
import type { FewShot } from './fewShot.ts';
import type { WhatIf } from './whatIfs.ts';
import { fixedText } from '../../shared/numberText.ts';

export interface AnchorFindings {
  readonly fewShot: FewShot;
  readonly places: AnchorPlaces;
  readonly answerAt: number;
  /** What is explained, for the reader. */
  readonly target: string;
  /** Whether its tokens are all labels. */
  readonly isTargetLabel: boolean;
  /** One a layer. */
  readonly flows: readonly AnchorFlow[];
  /** [layers][examples] */
  readonly exampleFlows: readonly (readonly ExampleFlow[])[];
  /** Where keys were compared. */
  readonly layer: number;
  /** Directions they were compared in; 0: all. */
  readonly directions: number;
  /** [classes, classes] */
  readonly predicted: Float64Array;
  /** Of the prompt as it is, one a class; empty where classes cannot be told apart. */
  readonly probabilities: readonly number[];
  readonly changes: readonly (WhatIf & { readonly probabilities: readonly number[] })[];
  readonly study: CaseStudy | null;
  readonly heads: HeadSum;
  /** Of the prompt. */
  readonly tokens: number;
  readonly canPatch: boolean;
}

export function curves(flows: readonly AnchorFlow[]): CurveBlock {
  const series = (label: string, kind: keyof AnchorFlow) => ({
    label,
    points: flows.map((flow, layer) => [layer, flow[kind]] as const),
  });
  return {
    kind: 'curve',
    title: 'Mean flow of one look, by layer',
    caption:
      'Attention × gradient of the target. S_wp: text before a label → label. S_pq: label → place of the answer. S_ww: all other looks.',
    x: 'layer',
    y: 'flow',
    series: [
      series('S_wp text → label', 'textToLabel'),
      series('S_pq label → answer', 'labelToTarget'),
      series('S_ww other', 'other'),
    ],
  };
}

export function graph({ fewShot, places, answerAt, exampleFlows, flows }: AnchorFindings, part: 'lower' | 'upper'): GraphBlock {
  const half = Math.max(1, Math.floor(flows.length / 2));
  const layers = part === 'lower' ? exampleFlows.slice(0, half) : exampleFlows.slice(half);
  const sum = (example: number, kind: keyof ExampleFlow) =>
    layers.reduce((total, flows) => total + (flows[example]?.[kind] ?? 0), 0);
  const middle = (fewShot.examples.length - 1) / 2;
  return {
    kind: 'graph',
    title: part === 'lower' ? `Flow in layers 0 to ${half - 1}` : `Flow in layers ${half} to ${flows.length - 1}`,
    unit: 'flow',
    nodes: [
      ...fewShot.examples.map((_example, index) => ({
        id: `text-${index}`,
        label: `example ${index + 1}`,
        column: 0,
        row: index,
        tokens: places.texts[index] ?? [],
      })),
      ...fewShot.examples.map(({ labelText }, index) => ({
        id: `label-${index}`,
        label: labelText,
        column: 1,
        row: index,
        tokens: [places.labels[index] ?? 0],
      })),
      { id: 'answer', label: 'answer', column: 2, row: middle, tokens: [answerAt] },
    ],
    edges: fewShot.examples.flatMap((_example, index) => [
      { from: `text-${index}`, to: `label-${index}`, weight: sum(index, 'textToLabel') },
      { from: `label-${index}`, to: 'answer', weight: sum(index, 'labelToTarget') },
      { from: `text-${index}`, to: 'answer', weight: sum(index, 'textToTarget') },
    ]),
  };
}

export function distances({ fewShot, predicted, layer, directions }: AnchorFindings): HeatBlock {
  const entries = fewShot.classes.map((label) => ({ label }));
  const where =
    directions > 0 ? `in the ${directions} directions in which the answer's queries vary over the cases` : 'in all directions';
  return {
    kind: 'heat',
    title: 'Distance between labels (predicted confusion)',
    caption: `Between mean keys of layer ${layer}, ${where}; 1 = farthest apart, near 0 = should be mixed up.`,
    rows: { title: 'label', entries },
    columns: { title: 'label', entries },
    values: Float32Array.from(predicted),
    unit: 'share of the largest',
    scale: 'magnitude',
    range: [0, 1],
  };
}

export function confusions({ confusion }: CaseStudy, { classes }: FewShot): HeatBlock {
  const entries = classes.map((label) => ({ label }));
  return {
    kind: 'heat',
    title: 'Measured confusion',
    caption: 'Area under the ROC between two labels on the cases; 1 = never mixed up, 0.5 = not told apart.',
    rows: { title: 'label', entries },
    columns: { title: 'label', entries },
    values: Float32Array.from(confusion),
    unit: 'area',
    scale: 'magnitude',
    range: [0, 1],
  };
}

export function ownWhatIfs({ fewShot, probabilities, changes, tokens }: AnchorFindings): TableBlock {
  const rowOf = (label: string, values: readonly number[], saved: number) => ({ cells: [label, ...values, saved] });
  return {
    kind: 'table',
    title: 'What if, on this prompt',
    caption: `Probability of each label among the labels. The prompt has ${tokens} tokens.`,
    columns: [
      { label: 'Change' },
      ...fewShot.classes.map((label) => ({ label, numeric: true as const })),
      { label: 'Tokens saved', numeric: true },
    ],
    rows: [
      rowOf('none', probabilities, 0),
      ...changes.map(({ label, saved, probabilities: found }) => rowOf(label, found, saved)),
    ],
  };
}

export function caseWhatIfs({ cases, accuracy, accuracyInterval, outcomes, fitted }: CaseStudy): TableBlock {
  const interval = ([low, high]: readonly [number, number]) => `${fixedText(low, 2)} to ${fixedText(high, 2)}`;
  return {
    kind: 'table',
    title: `What if, on ${cases} cases`,
    caption: 'Intervals are 95 %: Wilson for accuracies, bootstrap over cases for the change.',
    columns: [
      { label: 'Change' },
      { label: 'Accuracy', numeric: true },
      { label: 'Interval' },
      { label: 'Against none', numeric: true },
      { label: 'Interval' },
      { label: 'Same answer', numeric: true },
      { label: 'Tokens saved', numeric: true },
    ],
    rows: [
      { cells: ['none', accuracy, interval(accuracyInterval), 0, '', 1, 0] },
      ...[...outcomes, ...fittedRow(fitted)].map((outcome) => ({
        cells: [
          outcome.label,
          outcome.accuracy,
          interval(outcome.accuracyInterval),
          outcome.change,
          interval(outcome.changeInterval),
          outcome.agreement,
          outcome.saved,
        ],
      })),
    ],
  };
}

/** Measured on a part of the cases only, and it says so. */
function fittedRow(fitted: CaseStudy['fitted']): CaseStudy['outcomes'] {
  if (fitted === null) return [];
  return [fitted.outcome, fitted.heads.outcome].map((outcome) => ({
    ...outcome,
    label: `${outcome.label} (${fitted.measuredOn} cases)`,
  }));
}
