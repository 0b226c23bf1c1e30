import { type GraphNode, type GraphTensor, intAttribute, type OnnxGraph } from '../graph/graph.ts';
import { byteLength } from '../proto/tensorBytes.ts';
import { type Known, knownValue } from './knownValue.ts';

/**
 * A weight that is taken out of a stack of them by a constant index, Gather along the first axis, becomes a weight of its own that points to its part of the file: nothing is
 * copied, and what looks for weights finds it.
 */
export function sliceWeights(graph: OnnxGraph): void {
  const known: Known = { graph, probe: null, fromData: new Set() };
  graph.nodes = graph.nodes.filter((node) => {
    const part = partOf(known, node);
    if (part !== null) graph.initializers.set(part.name, part);
    return part === null;
  });
}

function partOf(known: Known, node: GraphNode): GraphTensor | null {
  const [stack = '', index = ''] = node.inputs;
  const [name = ''] = node.outputs;
  const whole = known.graph.initializers.get(stack);
  if (node.op !== 'Gather' || node.domain !== '' || whole === undefined || intAttribute(node, 'axis', 0) !== 0) return null;
  const [count = 0, ...dims] = whole.dims;
  const place = known.graph.initializers.get(index)?.dims.length === 0 ? knownValue(known, index) : null;
  const bytes = byteLength(dims, whole.type);
  const isWhole = bytes !== null && byteLength(whole.dims, whole.type) === count * bytes;
  if (place === null || !isWhole || known.graph.outputs.some((output) => output.name === name)) return null;
  const at = place < 0 ? place + count : place;
  if (at < 0 || at >= count) return null;
  const { range } = whole;
  return {
    name,
    dims,
    type: whole.type,
    bytes: whole.bytes?.slice(at * bytes, (at + 1) * bytes) ?? null,
    range: range === null ? null : { ...range, offset: range.offset + at * bytes, length: bytes },
  };
}
