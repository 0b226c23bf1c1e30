import { type GraphNode, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import type { DataFlow } from './dataFlow.ts';
import { isProjection } from './findBlocks.ts';
import { matchShape } from './shapes.ts';

/** [1, T, F] what the last projection of an MLP reads; null where no one tensor is read (experts). */
export function findNeurons(
  flow: DataFlow,
  probe: Probe,
  mlpOut: string,
  stream: string,
): { readonly tensor: string; readonly neurons: number } | null {
  const found = new Map<string, number>();
  const begin = flow.placeOf(stream);
  const seen = new Set<string>();
  const open = [mlpOut];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = flow.producers.get(name);
    if (node === undefined || seen.has(name) || flow.placeOf(name) <= begin) continue;
    seen.add(name);
    const read = isProjection(node) ? readBy(flow, node) : null;
    if (read === null) {
      open.push(...node.inputs);
      continue;
    }
    const [neurons] = matchShape(probe, read, [1, 'tokens', 'any']) ?? matchShape(probe, read, ['tokens', 'any']) ?? [];
    if (neurons === undefined) return null;
    found.set(read, neurons);
  }
  const [only] = found;
  return found.size === 1 && only !== undefined && matchShape(probe, only[0], [1, 'tokens', 'any']) !== null
    ? { tensor: only[0], neurons: only[1] }
    : null;
}

/** The activations a projection reads: before they were quantised, and in their own shape. */
function readBy(flow: DataFlow, node: GraphNode): string | null {
  let [name = ''] = node.inputs;
  for (;;) {
    const producer = flow.producers.get(name);
    if (producer === undefined) return name === '' ? null : name;
    const key = operatorKey(producer);
    if (key !== 'DynamicQuantizeLinear' && key !== 'Reshape') return name;
    [name = ''] = producer.inputs;
  }
}
