import { spearman } from '../../attribution/spearman.ts';
import type { Block, CurveBlock, GraphBlock, HeatBlock, TableBlock, TextBlock } from '../../shared/inspection/blocks.ts';
import type { AnchorFlow, ExampleFlow, HeadSum } from './anchorFlow.ts';
import type { AnchorPlaces } from './anchorPlaces.ts';
import type { CaseStudy } from './caseStudy.ts';
import type { FewShot } from './fewShot.ts';
import type { WhatIf } from './whatIfs.ts';

export interface AnchorFindings {
  readonly fewShot: FewShot;
  readonly places: AnchorPlaces;
  readonly answerAt: number;
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

export function anchorReport(findings: AnchorFindings): { readonly data: object; readonly blocks: readonly Block[] } {
  const { fewShot, places, flows, study, predicted, layer, directions } = findings;
  const measured = study === null ? null : pairs(study.confusion, fewShot.classes.length);
  const data = {
    prefix: fewShot.prefix,
    classes: fewShot.classes,
    examples: fewShot.examples.map(({ labelText }, index) => ({
      label: labelText,
      position: places.labels[index],
      tokens: places.texts[index],
    })),
    finalPosition: findings.answerAt,
    layers: flows.map(({ textToLabel, labelToTarget, other }) => ({ S_wp: textToLabel, S_pq: labelToTarget, S_ww: other })),
    flow: findings.exampleFlows,
    predictedConfusion: { layer, directions, values: rows(predicted, fewShot.classes.length) },
    probabilities: findings.probabilities,
    whatIfs: findings.changes.map(({ id, label, saved, probabilities }) => ({ id, label, saved, probabilities })),
    cases:
      study === null
        ? null
        : {
            ...study,
            confusion: rows(study.confusion, fewShot.classes.length).map((row) =>
              row.map((value) => (Number.isNaN(value) ? null : value)),
            ),
            rankCorrelation: comparable(predicted, study, fewShot.classes.length),
          },
  };
  return {
    data,
    blocks: [
      { kind: 'text', tone: 'finding', lines: findingLines(findings) },
      curves(flows),
      graph(findings, 'lower'),
      graph(findings, 'upper'),
      distances(findings),
      ...(study === null ? [] : [confusions(study, fewShot)]),
      ...(findings.probabilities.length === 0 ? [] : [ownWhatIfs(findings)]),
      ...(study === null ? [] : [caseWhatIfs(study)]),
      trust(findings, measured?.filter((value) => !Number.isNaN(value)).length ?? 0),
    ],
  };
}

function findingLines({ fewShot, flows, places }: AnchorFindings): string[] {
  const half = Math.floor(flows.length / 2);
  const share = (from: number, to: number) => {
    const part = flows.slice(from, to);
    const sum = (kind: keyof AnchorFlow) => part.reduce((total, flow) => total + flow[kind], 0) / part.length;
    return { label: sum('textToLabel'), target: sum('labelToTarget'), other: sum('other') };
  };
  const [lower, upper] = [share(0, Math.max(1, half)), share(half, flows.length)];
  const ratio = (value: number, other: number) => (other > 0 ? `${(value / other).toFixed(1)} times` : 'infinitely many times');
  const isAnchor = lower.label > lower.other && upper.target > upper.other;
  const crossing = flows.findIndex((flow, layer) => flow.labelToTarget > flow.textToLabel && layer > 0);
  return [
    `${fewShot.examples.length} examples with ${fewShot.classes.length} labels (${fewShot.classes.join(', ')}) behind ${JSON.stringify(fewShot.prefix)}; label tokens ${places.labels.join(', ')}.`,
    `Lower half of the layers: a look of a label at the text before it carries ${ratio(lower.label, lower.other)} what any other look does.`,
    `Upper half: a look of the answer at a label carries ${ratio(upper.target, upper.other)} what any other look does.`,
    ...(crossing > 0 ? [`From layer ${crossing} on the answer reads the labels more than the labels read their text.`] : []),
    isAnchor
      ? 'Both is what label anchors predict.'
      : 'That is not what label anchors predict: here the labels do not gather and hand on.',
  ];
}

function curves(flows: readonly AnchorFlow[]): CurveBlock {
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

function graph({ fewShot, places, answerAt, exampleFlows, flows }: AnchorFindings, part: 'lower' | 'upper'): GraphBlock {
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

function distances({ fewShot, predicted, layer, directions }: AnchorFindings): HeatBlock {
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

function confusions({ confusion }: CaseStudy, { classes }: FewShot): HeatBlock {
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

function ownWhatIfs({ fewShot, probabilities, changes, tokens }: AnchorFindings): TableBlock {
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

function caseWhatIfs({ cases, accuracy, accuracyInterval, outcomes }: CaseStudy): TableBlock {
  const interval = ([low, high]: readonly [number, number]) => `${low.toFixed(2)} to ${high.toFixed(2)}`;
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
      ...outcomes.map((outcome) => ({
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

function trust({ study, fewShot, predicted, canPatch, probabilities }: AnchorFindings, measuredPairs: number): TextBlock {
  const lines: string[] = [
    'Flows are first-order effects of looks; the what-ifs are measured.',
    'Keys hold the place of a word too (rotary embedding): labels far apart in the prompt differ for that alone.',
  ];
  if (study === null) {
    lines.push(
      'Confusions and the change in accuracy need --cases: a file of JSON lines { "text", "label" } with labels of the examples.',
    );
  } else if (fewShot.classes.length < 3 || measuredPairs < 3) {
    lines.push('Predicted and measured confusions can be compared from three labels on (three pairs).');
  } else {
    const correlation = comparable(predicted, study, fewShot.classes.length);
    lines.push(
      `Rank correlation of predicted and measured confusions over ${measuredPairs} pairs: ${(correlation ?? 0).toFixed(2)}.`,
    );
  }
  if (probabilities.length === 0) lines.push('Labels cannot be told apart by their first token, so no what-if was measured.');
  if (!canPatch)
    lines.push('This model’s forward pass cannot be changed: only the shortened prompt was measured, no weights and no hiding.');
  return { kind: 'text', title: 'How far to trust this', lines };
}

function rows(values: Float64Array, count: number): number[][] {
  return Array.from({ length: count }, (_, row) => Array.from(values.slice(row * count, (row + 1) * count)));
}

/** Below the diagonal. */
function pairs(values: Float64Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Array.from(values.slice(i * count, i * count + i))).flat();
}

/** Spearman over the pairs of classes that have cases; null below three. */
function comparable(predicted: Float64Array, { confusion }: CaseStudy, count: number): number | null {
  const both = pairs(predicted, count).map((value, index) => [value, pairs(confusion, count)[index] ?? Number.NaN] as const);
  const known = both.filter(([, value]) => !Number.isNaN(value));
  if (known.length < 3) return null;
  return spearman(
    known.map(([value]) => value),
    known.map(([, value]) => value),
  );
}
