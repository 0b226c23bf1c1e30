import { elementTypes, type GraphNode } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import type { DataFlow } from './dataFlow.ts';

/** A tensor all information passes through on its way from the embedding to the output. */
export interface Cut {
  readonly tensor: string;
  /** Place of its node in the graph; −1 for the embedding. */
  readonly position: number;
  /** Whether it adds two tensors that both depend on the tokens: a residual connection. */
  readonly isSum: boolean;
}

/**
 * The cut tensors of one width, in order: where, walking through the nodes, one single tensor is still to be read. Residual streams and what normalises them
 * between layers are of this kind, whatever they are called.
 * @param inside tensors on a way from the embedding to the output
 * @param width null: any width
 */
export function findCuts(
  flow: DataFlow,
  probe: Probe,
  embedding: string,
  inside: ReadonlySet<string>,
  width: number | null,
): Cut[] {
  const waiting = new Map<string, number>();
  for (const name of inside) waiting.set(name, flow.readers(name).filter((node) => isInside(node, inside)).length);
  const shape = probe.facts(embedding)?.dims[0] ?? [];
  const live = new Set([embedding]);
  const isWide = (size: number | undefined) => width === null || size === width;
  const cuts: Cut[] = isWide(shape.at(-1)) ? [{ tensor: embedding, position: -1, isSum: false }] : [];
  for (const [position, node] of flow.graph.nodes.entries()) {
    if (!isInside(node, inside) || node.outputs.includes(embedding)) continue;
    const read = new Set(node.inputs.filter((name) => inside.has(name)));
    for (const name of read) {
      const left = (waiting.get(name) ?? 1) - 1;
      waiting.set(name, left);
      if (left === 0) live.delete(name);
    }
    for (const name of node.outputs) if (inside.has(name)) live.add(name);
    const [tensor] = live;
    if (live.size !== 1 || tensor === undefined || !node.outputs.includes(tensor)) continue;
    const facts = probe.facts(tensor);
    const isStream =
      facts?.type === elementTypes.float32 &&
      shape.length === facts.dims[0].length &&
      facts.dims[0].every((size, axis) => (axis < shape.length - 1 ? size === shape[axis] : isWide(size)));
    if (isStream) cuts.push({ tensor, position, isSum: node.op === 'Add' && read.size === 2 });
  }
  return cuts;
}

function isInside({ op, outputs }: GraphNode, inside: ReadonlySet<string>): boolean {
  return op !== 'Shape' && op !== 'Size' && outputs.some((name) => inside.has(name));
}
