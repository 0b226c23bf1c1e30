import type { Block, GraphBlock } from '../../shared/inspection/blocks.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import type { Circuit } from './chooseEdges.ts';
import type { CheckedEdges } from './circuit.ts';
import { type Component, componentLabel } from './components.ts';
import type { MeasuredCircuit, RandomShares } from './measureCircuit.ts';
import type { PromptPair } from './promptPair.ts';
import { fixedText } from '../../shared/numberText.ts';

/** More lines than that nobody can follow. */
const drawnEdges = 150;

export interface CircuitReport {
  readonly pair: PromptPair;
  readonly chosen: Circuit;
  /** All edges that were scored. */
  readonly scored: number;
  readonly measured: MeasuredCircuit;
  readonly checked: CheckedEdges;
  readonly layers: number;
  readonly heads: number;
}

export function circuitBlocks(report: CircuitReport): Block[] {
  const { pair, chosen, scored, measured, checked, layers, heads } = report;
  const { unit } = pair.target.description;
  const { components, edges } = chosen;
  const parts = layers * (heads + 1);
  const headCount = components.filter(({ kind }) => kind === 'head').length;
  const { random, randomParts } = measured;
  // More than one in twenty.
  const isCommon = random.asGood * 20 > random.values.length;
  return [
    circuitGraph(report),
    {
      kind: 'text',
      title: 'What the circuit alone does',
      tone: 'finding',
      lines: [
        `${edges.length} of ${scored} edges, ${components.length} of ${parts} parts: ${headCount} heads and ${components.length - headCount} MLPs.`,
        `With every other edge as on the corrupted prompt, ${percent(measured.kept)} of the difference of ${quotedTarget(pair.target.description)} is left; random circuits of as many heads, MLPs and edges ${chanceText(random)}.`,
        `With its heads and MLPs clean and all edges between them, ${percent(measured.keptParts)} is left; as many random heads and MLPs ${chanceText(randomParts)}.`,
        `With the circuit itself as on the corrupted prompt and all others clean, ${percent(measured.without)} is left.`,
      ],
    },
    {
      kind: 'curve',
      title: 'Share kept by larger and smaller circuits',
      x: 'parts',
      y: 'share kept',
      series: [
        {
          label: 'its edges alone',
          points: measured.curve.map(({ components: count, kept }) => [count, kept] as const),
        },
        {
          label: 'its parts, with all edges between them',
          points: measured.curve.map(({ components: count, keptParts }) => [count, keptParts] as const),
        },
      ],
    },
    {
      kind: 'table',
      title: 'Strongest edges',
      columns: [
        { label: 'from' },
        { label: 'to' },
        { label: 'estimate', numeric: true, unit },
        { label: 'measured', numeric: true, unit },
      ],
      rows: edges.slice(0, Math.max(20, checked.edges.length)).map(({ from, to, score }, index) => ({
        cells: [componentLabel(from), componentLabel(to), score, checked.edges[index]?.exact ?? ''],
      })),
    },
    {
      kind: 'text',
      title: 'How far to trust it',
      ...(isCommon ? { tone: 'warning' as const } : {}),
      lines: [
        checked.correlation === null
          ? 'Edge scores are first-order estimates; --check 10 measures the strongest ones.'
          : `Edge scores are first-order estimates. Of the ${checked.edges.length} strongest, measured by path patching: rank correlation ${fixedText(checked.correlation, 2)}.`,
        'The circuit is run edge by edge: each head and MLP in it reads what it would on the corrupted prompt, but for the messages of its own edges. Random circuits, smaller and larger ones are run in the same way.',
        'Shares above 100 % mean that what was left out worked against the answer.',
        ...(isCommon ? ['Random circuits do as well: this is no circuit of its own.'] : []),
      ],
    },
  ];
}

/** Columns are layers; the embedding stands before them, the logits behind. */
function circuitGraph({ pair, chosen, layers }: CircuitReport): GraphBlock {
  const edges = chosen.edges.slice(0, drawnEdges);
  const nodes = new Map<string, Component>();
  for (const component of edges.flatMap(({ from, to }) => [from, to])) nodes.set(componentLabel(component), component);
  const columnOf = ({ kind, layer }: Component) => (kind === 'embed' ? 0 : kind === 'logits' ? layers + 1 : layer + 1);
  const rank = ({ kind, head }: Component) => (kind === 'mlp' ? Number.MAX_SAFE_INTEGER : head);
  const filled = new Map<number, number>();
  const ordered = [...nodes.values()].sort((a, b) => columnOf(a) - columnOf(b) || rank(a) - rank(b));
  const hidden = chosen.edges.length - edges.length;
  return {
    kind: 'graph',
    title: `Circuit of ${quotedTarget(pair.target.description)}`,
    caption: `Change of the answer when the message alone is corrupted, estimated.${hidden > 0 ? ` The ${drawnEdges} strongest edges; ${hidden} more are in the table of --json.` : ''}`,
    unit: pair.target.description.unit,
    nodes: ordered.map((component) => {
      const column = columnOf(component);
      const row = filled.get(column) ?? 0;
      filled.set(column, row + 1);
      return { id: componentLabel(component), label: componentLabel(component), column, row };
    }),
    edges: edges.map(({ from, to, score }) => ({ from: componentLabel(from), to: componentLabel(to), weight: score })),
  };
}

/** `keep 2 % (95 %: 0 % to 5 %), and 0 of 10 keep as much` */
function chanceText({ values, mean, interval, asGood }: RandomShares): string {
  return `keep ${percent(mean)} (95 %: ${percent(interval[0])} to ${percent(interval[1])}), and ${asGood} of ${values.length} keep as much`;
}

function percent(share: number): string {
  // Adding 0 makes of −0 a 0.
  return `${Math.round(100 * share) + 0} %`.replace('-', '−');
}
