import { elementTypes, intAttribute, type OnnxGraph } from '../graph/graph.ts';
import { elementCount } from '../proto/tensorBytes.ts';

/** How the weights of a file are stored, in words. */
export function quantizationLabel(graph: OnnxGraph): string {
  const blocks = graph.nodes.find(({ op }) => op === 'MatMulNBits');
  if (blocks !== undefined) return `int${intAttribute(blocks, 'bits', 4)} in blocks of ${intAttribute(blocks, 'block_size', 32)}`;
  if (graph.nodes.some(({ op }) => op === 'MatMulInteger')) return 'int8, activations quantised at each run';
  if (graph.nodes.some(({ op, inputs }) => op === 'DequantizeLinear' && graph.initializers.has(inputs[0] ?? '')))
    return 'int8 weights';
  const sizes = new Map<number, number>();
  for (const { type, dims } of graph.initializers.values()) sizes.set(type, (sizes.get(type) ?? 0) + elementCount(dims));
  const size = (type: number) => sizes.get(type) ?? 0;
  if (size(elementTypes.float16) > size(elementTypes.float32)) return 'float16';
  return size(elementTypes.bfloat16) > size(elementTypes.float32) ? 'bfloat16' : 'float32';
}
