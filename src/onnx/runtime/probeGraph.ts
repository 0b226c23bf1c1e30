import { type GraphNode, intAttribute, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';

/** First version of ai.onnx whose reductions count axes from the end. */
const lowestOpset = 11;

/** What a product with a stored matrix becomes. Each row still depends on the same row of the other operand alone. */
export type StandIn = 'mean' | 'copies';

/** So that sums of copies do not drown what is added to them. */
const copyScale = 0.25;

/**
 * A copy of the graph that tells the same shapes and the same small values without reading the weights: a product with a matrix that
 * stands in the file is replaced by the mean of its other operand, repeated to the width of the product, or by scaled copies of it side by
 * side. What comes out depends on the content of the inputs as it did, and its value is of no use to a probe.
 */
export function probeGraph(graph: OnnxGraph, standIn: StandIn = 'mean'): OnnxGraph {
  const copy: OnnxGraph = { ...graph, initializers: new Map(graph.initializers), opsets: new Map(graph.opsets) };
  const builder = new GraphBuilder(copy, 'loupe/probe');
  if (builder.opset < lowestOpset) return copy;
  for (const node of graph.nodes) {
    const size = productSize(graph, node);
    if (size === null) builder.nodes.push(node);
    else if (standIn === 'mean') {
      const [x = ''] = node.inputs;
      builder.node('Expand', [builder.mean(x, [-1]), builder.ints(size.columns)], {}, { output: node.outputs[0] ?? '' });
    } else copies(builder, node, size);
  }
  copy.nodes = builder.nodes;
  return copy;
}

interface ProductSize {
  readonly rows: number;
  readonly columns: number;
}

function copies(
  builder: GraphBuilder,
  { inputs: [x = ''], outputs: [output = ''] }: GraphNode,
  { rows, columns }: ProductSize,
): void {
  const scaled = builder.multiply(x, builder.number(copyScale));
  const count = Math.ceil(columns / rows);
  const wide =
    count === 1
      ? scaled
      : builder.node(
          'Concat',
          Array.from({ length: count }, () => scaled),
          { axis: -1 },
        );
  builder.node('Slice', [wide, builder.ints(0), builder.ints(columns), builder.ints(-1)], {}, { output });
}

/** Of the stored matrix of a product; null for every other node. */
function productSize({ initializers }: OnnxGraph, node: GraphNode): ProductSize | null {
  const key = operatorKey(node);
  const weights = initializers.get(node.inputs[1] ?? '');
  if (weights === undefined || weights.range === null || node.outputs.length !== 1) return null;
  const [rows = 0, columns = 0] =
    key === 'com.microsoft:MatMulNBits' ? [intAttribute(node, 'K', 0), intAttribute(node, 'N', 0)] : weights.dims;
  const isProduct = key === 'com.microsoft:MatMulNBits' || (key === 'MatMul' && weights.dims.length === 2);
  return isProduct && rows > 0 && columns > 0 ? { rows, columns } : null;
}
