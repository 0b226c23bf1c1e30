import { floatAttribute, type GraphNode } from '../graph/graph.ts';
import { float } from '../graph/graphBuilder.ts';
import { firstOutput, inputAt, type LoweringContext, outputAt } from './loweringContext.ts';

/** com.microsoft SkipLayerNormalization: x, skip, scale, shift, bias; its fourth output is the residual stream x + skip + bias. */
export function lowerSkipLayerNormalization(node: GraphNode, context: LoweringContext): void {
  const sum = residualSum(node, context, inputAt(node, 4));
  const [, , scale = ''] = node.inputs;
  const shift = inputAt(node, 3);
  const attributes = { epsilon: float(floatAttribute(node, 'epsilon', 1e-12)), axis: -1 };
  context.builder.node('LayerNormalization', shift === null ? [sum, scale] : [sum, scale, shift], attributes, {
    output: firstOutput(node),
  });
}

/** com.microsoft SkipSimplifiedLayerNormalization: the same with a root mean square norm; x, skip, scale, bias. */
export function lowerSkipSimplifiedLayerNormalization(node: GraphNode, context: LoweringContext): void {
  const sum = residualSum(node, context, inputAt(node, 3));
  const [, , scale = ''] = node.inputs;
  const attributes = { epsilon: float(floatAttribute(node, 'epsilon', 1e-12)), axis: -1, stash_type: 1 };
  context.builder.node('SimplifiedLayerNormalization', [sum, scale], attributes, { output: firstOutput(node) });
}

function residualSum(node: GraphNode, { builder }: LoweringContext, bias: string | null): string {
  const [x = '', skip = ''] = node.inputs;
  const output = outputAt(node, 3) ?? builder.fresh('residual');
  // The bias belongs to the branch, so the sum of residual and branch stays one addition.
  const branch = bias === null ? x : builder.add(x, bias);
  return builder.node('Add', [branch, skip], {}, { output });
}
