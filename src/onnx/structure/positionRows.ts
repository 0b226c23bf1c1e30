import type { GraphNode } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { isFixedAxis } from '../graph/probe.ts';
import type { DataFlow } from './dataFlow.ts';

/** Tables of fewer rows are those of segments: no model has so few positions. */
const fewestPositions = 16;

/** What picks the rows of a table: by numbers, or the first so many. */
const picks: ReadonlySet<string> = new Set(['Gather', 'Slice']);

/**
 * Tokens that there are rows for in the smallest table of learned positions [rows, hidden], or as narrow as the embedding: more tokens than that cannot be read.
 * @param embedding the tensor of token embeddings, whose own table is none of positions
 * @returns null where positions are not looked up
 */
export function positionRows(flow: DataFlow, probe: Probe, embedding: string, hidden: number): number | null {
  const before = flow.before(embedding);
  const widths = new Set([hidden, probe.facts(embedding)?.dims[0].at(-1)]);
  const rows = flow.graph.nodes.flatMap((node) => {
    const { op, inputs, outputs } = node;
    const [output = ''] = outputs;
    if (!picks.has(op) || before.has(output)) return [];
    const facts = probe.facts(output);
    // What is cut out of a weight has the same size for every prompt.
    if (facts === undefined || !widths.has(facts.dims[0].at(-1)) || isFixedAxis(facts, -2)) return [];
    const [count = 0, width] = flow.table(inputs[0] ?? '')?.dims.slice(-2) ?? [];
    return widths.has(width) && count >= fewestPositions ? [count - firstRow(node, probe)] : [];
  });
  return rows.length > 0 ? Math.min(...rows) : null;
}

/** The row of the first token: families that count from the number of their filler (OPT, RoBERTa) leave the rows before it unread. 0 where it cannot be told. */
function firstRow({ op, inputs }: GraphNode, probe: Probe): number {
  const [picked, second] = (op === 'Gather' ? probe.facts(inputs[1] ?? '')?.values : null) ?? [];
  if (picked === undefined || second === undefined) return 0;
  const [first, other] = [picked, second].map((rows, run) => Math.max(...rows) - ((probe.lengths[run] ?? 0) - 1));
  return first !== undefined && first === other ? Math.max(0, first) : 0;
}
