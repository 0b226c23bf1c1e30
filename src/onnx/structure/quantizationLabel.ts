import { elementTypes, intAttribute, operatorKey, type OnnxGraph } from '../graph/graph.ts';

/** What the weights of the products are stored as: `int4`, `int8 (dynamic)`, `float16`, … */
export function quantizationLabel(graph: OnnxGraph): string {
  const packed = graph.nodes.find((node) => operatorKey(node) === 'com.microsoft:MatMulNBits');
  if (packed !== undefined) return `int${intAttribute(packed, 'bits', 4)}`;
  if (graph.nodes.some(({ op }) => op === 'MatMulInteger' || op === 'DynamicQuantizeLinear')) return 'int8 (dynamic)';
  if (graph.nodes.some(({ op }) => op === 'DequantizeLinear')) return 'int8';
  let [half, whole] = [0, 0];
  for (const { type, dims } of graph.initializers.values()) {
    const count = dims.reduce((product, size) => product * size, 1);
    if (type === elementTypes.float16 || type === elementTypes.bfloat16) half += count;
    else if (type === elementTypes.float32) whole += count;
  }
  return half > whole ? 'float16' : 'float32';
}
