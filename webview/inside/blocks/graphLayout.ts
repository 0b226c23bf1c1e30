/** Where the nodes and edges of a graph block lie. Pure. */
import type { GraphBlock } from '../../../src/shared/inspection/blocks.ts';

interface NodeBox {
  readonly node: GraphBlock['nodes'][number];
  readonly x: number;
  readonly y: number;
}

interface EdgePath {
  readonly edge: GraphBlock['edges'][number];
  /** An SVG path. */
  readonly path: string;
  /** Width of the line, in CSS pixels. */
  readonly width: number;
}

export interface GraphLayout {
  readonly nodes: readonly NodeBox[];
  readonly edges: readonly EdgePath[];
  readonly width: number;
  readonly height: number;
}

export const nodeSize = { width: 96, height: 24 } as const;
const spacing = { column: 150, row: 40 } as const;
const margin = 8;
const thickest = 7;

/** Columns go right, rows down; only columns and rows that have a node take room. Edges to nodes that are not there are left out. */
export function graphLayout({ nodes, edges }: Pick<GraphBlock, 'nodes' | 'edges'>): GraphLayout {
  const columns = ranks(nodes.map(({ column }) => column));
  const rows = ranks(nodes.map(({ row }) => row));
  const boxes = nodes.map((node) => ({
    node,
    x: margin + (columns.get(node.column) ?? 0) * spacing.column,
    y: margin + (rows.get(node.row) ?? 0) * spacing.row,
  }));
  const byId = new Map(boxes.map((box) => [box.node.id, box]));
  const largest = edges.reduce((most, { weight }) => (Number.isFinite(weight) ? Math.max(most, Math.abs(weight)) : most), 0);
  const paths = edges.flatMap((edge) => {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)];
    if (from === undefined || to === undefined || from === to) return [];
    const share = largest === 0 || !Number.isFinite(edge.weight) ? 0 : Math.abs(edge.weight) / largest;
    return [{ edge, path: curve(from, to), width: 0.75 + share * (thickest - 0.75) }];
  });
  return {
    nodes: boxes,
    // Thick lines first, so that thin ones stay visible.
    edges: paths.sort((a, b) => b.width - a.width),
    width: 2 * margin + nodeSize.width + Math.max(0, columns.size - 1) * spacing.column,
    height: 2 * margin + nodeSize.height + Math.max(0, rows.size - 1) * spacing.row,
  };
}

function curve(from: NodeBox, to: NodeBox): string {
  const half = nodeSize.height / 2;
  if (from.x === to.x) {
    // Within one column: out at the right and back, so that it does not run through the nodes between.
    const right = from.x + nodeSize.width;
    return `M${right} ${from.y + half}C${right + 40} ${from.y + half} ${right + 40} ${to.y + half} ${right} ${to.y + half}`;
  }
  const forward = from.x < to.x;
  const start = forward ? from.x + nodeSize.width : from.x;
  const end = forward ? to.x : to.x + nodeSize.width;
  const middle = (start + end) / 2;
  return `M${start} ${from.y + half}C${middle} ${from.y + half} ${middle} ${to.y + half} ${end} ${to.y + half}`;
}

function ranks(values: readonly number[]): ReadonlyMap<number, number> {
  return new Map([...new Set(values)].sort((a, b) => a - b).map((value, rank) => [value, rank]));
}
