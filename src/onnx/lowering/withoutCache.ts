import { elementTypes, type GraphValue, type OnnxGraph } from '../graph/graph.ts';
import { inputRole } from '../runtime/feeds.ts';
import { elementCount } from '../proto/tensorBytes.ts';

/**
 * Makes the graph one that reads a whole prompt at once: keys and values of the past become constants without tokens, those for the future are no
 * outputs any more, and a merged decoder is told to take its branch without a past.
 */
export function withoutCache(graph: OnnxGraph, headSize: number | null): void {
  graph.outputs = graph.outputs.filter(({ name }) => !/present|past|cache/i.test(name));
  graph.inputs = graph.inputs.filter((input) => {
    const role = inputRole(input);
    if (role === 'useCache') addConstant(graph, input, [1], Uint8Array.of(0));
    else if (role === 'past') addConstant(graph, input, pastDims(input, headSize), new Uint8Array(0));
    else return true;
    return false;
  });
  // This operator checks the width of a past without tokens, which the file may not tell, and does without one.
  for (const node of graph.nodes.filter(({ op }) => op === 'GroupQueryAttention')) {
    if (!isEmpty(graph, node.inputs[3]) || !isEmpty(graph, node.inputs[4])) continue;
    node.inputs = node.inputs.map((name, i) => (i === 3 || i === 4 ? '' : name));
  }
}

function isEmpty(graph: OnnxGraph, name: string | undefined): boolean {
  const tensor = graph.initializers.get(name ?? '');
  return tensor !== undefined && elementCount(tensor.dims) === 0;
}

function addConstant(graph: OnnxGraph, { name, type }: GraphValue, dims: readonly number[], bytes: Uint8Array): void {
  const size = elementCount(dims);
  graph.initializers.set(name, { name, dims, type: size === 0 ? type : elementTypes.bool, bytes, range: null });
}

/** [1, heads, 0, size], or with the key and value of a layer stacked in front of it. */
function pastDims({ dims }: GraphValue, headSize: number | null): number[] {
  const known = dims ?? ['', '', '', ''];
  return known.map((dim, axis) => {
    if (axis === known.length - 2) return 0;
    if (axis === known.length - 1 && typeof dim !== 'number') return headSize ?? 1;
    return typeof dim === 'number' ? dim : 1;
  });
}
