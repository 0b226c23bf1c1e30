/** Head statistics as a table that sorts and as pictures. */
import type { ModelInfo } from '../../model/model.ts';
import type { Block, HeatBlock, TableBlock } from '../../shared/inspection/blocks.ts';
import { type HeadLabel, labelThresholds } from './headLabels.ts';
import type { PatternStatistics } from './patternStatistics.ts';
import { fixedText } from '../../shared/numberText.ts';

export interface HeadReport extends PatternStatistics {
  readonly layer: number;
  readonly head: number;
  /** The same scores on random tokens that repeat. */
  readonly repeated?: Pick<PatternStatistics, 'previous' | 'duplicate' | 'induction'>;
  readonly labels: readonly HeadLabel[];
  /** Number of the group of heads that look alike; null: alone. */
  readonly cluster: number | null;
  /** In the target's unit: attention × gradient; target − target without the head. */
  readonly importance: number | null;
  readonly ablation: number | null;
}

export interface HeadPicture {
  readonly reports: readonly HeadReport[];
  readonly chance: PatternStatistics;
  /** [n, n] */
  readonly cosines: Float32Array;
  readonly clusters: readonly (readonly number[])[];
  readonly info: Pick<ModelInfo, 'layers' | 'heads'>;
  readonly unit: string;
  readonly isRepeated: boolean;
  readonly tokens: number;
}

export function headBlocks(picture: HeadPicture): Block[] {
  const { reports, unit, isRepeated, tokens } = picture;
  const hasGradient = reports.some(({ importance }) => importance !== null);
  const hasAblation = reports.some(({ ablation }) => ablation !== null);
  return [
    ...(hasAblation ? [grid(picture, 'What the target loses without each head', unit, ({ ablation }) => ablation)] : []),
    ...(hasGradient ? [grid(picture, 'Attention × gradient of each head', unit, ({ importance }) => importance)] : []),
    labelGrid(picture),
    headTable(picture, hasGradient, hasAblation),
    similarityGrid(picture),
    ...clusterTable(picture),
    {
      kind: 'text',
      title: 'How far to trust it',
      lines: [
        `Scores are shares of attention on ${tokens} tokens${isRepeated ? ', induction, duplicate and previous token on random tokens that repeat' : ''}: what a head looks at, not what it does with it.`,
        ...(isRepeated
          ? []
          : ['Induction can only show where the prompt repeats itself; --repeat 32 tests it on random tokens.']),
        ...(hasGradient ? ['Attention × gradient is a first-order estimate; --ablate measures each head.'] : []),
      ],
    },
  ];
}

const nameOf = ({ layer, head }: Pick<HeadReport, 'layer' | 'head'>) => `L${layer}.H${head}`;

function axes({ layers, heads }: HeadPicture['info']): Pick<HeatBlock, 'rows' | 'columns'> {
  const entries = (count: number, letter: string) =>
    Array.from({ length: count }, (_, index) => ({ label: `${letter}${index}` }));
  return { rows: { title: 'layer', entries: entries(layers, 'L') }, columns: { title: 'head', entries: entries(heads, 'H') } };
}

function evidence(report: HeadReport): string {
  const labels = report.labels.map(({ name, score }) => `${name}, score ${fixedText(score, 2)}`).join('; ');
  const numbers = `entropy ${report.entropy.toFixed(2)} nat, first token ${percent(report.sink)}, token before ${percent(report.previous)}`;
  return labels === '' ? numbers : `${labels}; ${numbers}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function grid(picture: HeadPicture, title: string, unit: string, value: (report: HeadReport) => number | null): HeatBlock {
  return {
    kind: 'heat',
    title,
    ...axes(picture.info),
    values: Float32Array.from(picture.reports, (report) => value(report) ?? Number.NaN),
    unit,
    scale: 'signed',
    details: picture.reports.map(evidence),
  };
}

const shortNames: Readonly<Record<string, string>> = {
  'induction head': 'ind',
  'duplicate-token head': 'dup',
  'previous-token head': 'prev',
  'same-word head': 'word',
  'self head': 'self',
  'sink head': 'sink',
};

function labelGrid(picture: HeadPicture): HeatBlock {
  const limits = labelThresholds.map(({ name, atLeast }) => `${shortNames[name] ?? name} = ${name} (from ${atLeast})`).join(', ');
  return {
    kind: 'heat',
    title: 'What each head looks at',
    caption: `${limits}. The most telling label; its share of attention is the colour.`,
    ...axes(picture.info),
    values: Float32Array.from(picture.reports, ({ labels }) => labels[0]?.score ?? 0),
    unit: 'share',
    scale: 'magnitude',
    range: [0, 1],
    texts: picture.reports.map(({ labels: [first] }) => (first === undefined ? '' : (shortNames[first.name] ?? first.name))),
    details: picture.reports.map(evidence),
  };
}

function headTable({ reports, chance, unit }: HeadPicture, hasGradient: boolean, hasAblation: boolean): TableBlock {
  const cell = (value: number | null) => value ?? Number.NaN;
  const row = (name: string, statistics: PatternStatistics) => [
    name,
    statistics.entropy,
    statistics.concentration,
    statistics.distance,
    statistics.sink,
    statistics.self,
    statistics.previous,
    cell(statistics.duplicate),
    cell(statistics.induction),
    cell(statistics.sameWord),
    statistics.sameSentence,
    statistics.sameSection,
    cell(statistics.heading),
  ];
  const strength = ({ ablation, importance }: HeadReport) => Math.abs(ablation ?? importance ?? 0);
  const sorted = [...reports].sort((a, b) => strength(b) - strength(a));
  const weights = (report: HeadReport | null) => [
    ...(hasGradient ? [cell(report?.importance ?? null)] : []),
    ...(hasAblation ? [cell(report?.ablation ?? null)] : []),
  ];
  return {
    kind: 'table',
    title: 'All heads',
    caption:
      'Shares of attention, means over queries. “chance”: attention that prefers nothing. The score is that of the first label.',
    columns: [
      { label: 'head' },
      ...(hasGradient ? [{ label: 'attention × gradient', numeric: true, unit } as const] : []),
      ...(hasAblation ? [{ label: 'loss without it', numeric: true, unit } as const] : []),
      { label: 'entropy', numeric: true, unit: 'nat' },
      { label: 'largest', numeric: true },
      { label: 'distance', numeric: true, unit: 'tokens' },
      { label: 'first token', numeric: true },
      { label: 'itself', numeric: true },
      { label: 'token before', numeric: true },
      { label: 'duplicate', numeric: true },
      { label: 'induction', numeric: true },
      { label: 'same word', numeric: true },
      { label: 'same sentence', numeric: true },
      { label: 'same section', numeric: true },
      { label: 'heading', numeric: true },
      { label: 'label' },
      { label: 'score of the label', numeric: true },
    ],
    rows: [
      ...sorted.map((report) => {
        const [name = '', ...numbers] = row(nameOf(report), report);
        const labels = report.labels.map((label) => label.name).join(', ');
        return { cells: [name, ...weights(report), ...numbers, labels, cell(report.labels[0]?.score ?? null)] };
      }),
      { cells: ['chance', ...weights(null), ...row('', chance).slice(1), '', cell(null)] },
    ],
  };
}

/** Heads of a group side by side. */
function similarityGrid({ reports, cosines, clusters }: HeadPicture): HeatBlock {
  const n = reports.length;
  const grouped = clusters.flat();
  const rest = reports.map((_, index) => index).filter((index) => !grouped.includes(index));
  const order = [...grouped, ...rest];
  const entries = order.map((index) => ({ label: nameOf(reports[index] as HeadReport) }));
  return {
    kind: 'heat',
    title: 'How alike heads look',
    caption: 'Cosine between attention patterns without the first token; heads of one group stand together.',
    rows: { title: 'head', entries },
    columns: { title: 'head', entries },
    values: Float32Array.from({ length: n * n }, (_, at) => {
      const [row = 0, column = 0] = [order[Math.floor(at / n)], order[at % n]];
      return cosines[row * n + column] as number;
    }),
    unit: 'cosine',
    scale: 'magnitude',
    range: [0, 1],
  };
}

function clusterTable({ clusters, reports }: HeadPicture): TableBlock[] {
  if (clusters.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Groups of heads that look alike',
      columns: [{ label: 'heads', numeric: true }, { label: 'members' }],
      rows: clusters.map((group) => ({
        cells: [group.length, group.map((index) => nameOf(reports[index] as HeadReport)).join(' ')],
      })),
    },
  ];
}
