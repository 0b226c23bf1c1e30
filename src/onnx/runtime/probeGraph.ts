import { type GraphNode, intAttribute, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';

/** First version of ai.onnx whose reductions count axes from the end. */
const lowestOpset = 11;

/**
 * A copy of the graph that tells the same shapes and the same small values without reading the weights: a product with a matrix that
 * stands in the file is replaced by the mean of its other operand, repeated to the width of the product. What comes out depends on the
 * content of the inputs as it did, and its value is of no use to a probe.
 */
export function probeGraph(graph: OnnxGraph): OnnxGraph {
  const copy: OnnxGraph = { ...graph, initializers: new Map(graph.initializers), opsets: new Map(graph.opsets) };
  const builder = new GraphBuilder(copy, 'loupe/probe');
  if (builder.opset < lowestOpset) return copy;
  for (const node of graph.nodes) {
    const width = productWidth(graph, node);
    if (width === null) builder.nodes.push(node);
    else {
      const [x = ''] = node.inputs;
      builder.node('Expand', [builder.mean(x, [-1]), builder.ints(width)], {}, { output: node.outputs[0] ?? '' });
    }
  }
  copy.nodes = builder.nodes;
  return copy;
}

/** Columns of a product with a stored matrix; null for every other node. */
function productWidth({ initializers }: OnnxGraph, node: GraphNode): number | null {
  const key = operatorKey(node);
  const weights = initializers.get(node.inputs[1] ?? '');
  if (weights === undefined || weights.range === null || node.outputs.length !== 1) return null;
  if (key === 'com.microsoft:MatMulNBits') return intAttribute(node, 'N', 0);
  return key === 'MatMul' && weights.dims.length === 2 ? (weights.dims[1] ?? null) : null;
}
