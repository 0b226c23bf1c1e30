import type { GraphNode } from '../graph/graph.ts';
import { firstOutput, inputAt, type LoweringContext } from './loweringContext.ts';

/** com.microsoft BiasGelu: gelu(x + bias) with the error function (Hendrycks & Gimpel 2016). */
export function lowerBiasGelu(node: GraphNode, { builder }: LoweringContext): void {
  const [x = '', bias = ''] = node.inputs;
  builder.node('Gelu', [builder.add(x, bias)], {}, { domain: 'com.microsoft', output: firstOutput(node) });
}

/** com.microsoft FastGelu: gelu(x + bias) with tanh; the bias may be left out. */
export function lowerFastGelu(node: GraphNode, { builder }: LoweringContext): void {
  const [x = ''] = node.inputs;
  const bias = inputAt(node, 1);
  builder.node(
    'FastGelu',
    [bias === null ? x : builder.add(x, bias)],
    {},
    { domain: 'com.microsoft', output: firstOutput(node) },
  );
}
