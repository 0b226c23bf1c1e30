import { onnxUnsupported } from '../../shared/onnxErrors.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { type OnnxGraph, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { linkGraph } from '../proto/linkGraph.ts';
import { computeInFloat32 } from './computeInFloat32.ts';
import { inlineControlFlow } from './inlineControlFlow.ts';
import type { LoweringContext } from './loweringContext.ts';
import { loweringRules } from './loweringRules.ts';
import { withoutCache } from './withoutCache.ts';

export interface LoweringOptions {
  /**
   * MatMulNBits as the runtime executes the file (activations may be quantised to 8 bits, as its accuracy level says), or exactly: with
   * dequantised weights and 32-bit activations (level 1).
   */
  readonly precision: 'exact' | 'asServed';
  /** Width of a head, for files that do not say it themselves. */
  readonly headSize?: number;
}

export interface Lowered {
  /** Keys of the operators that were opened up, one for each node; `If` and `Loop` for those that were resolved, `float16` once for a graph of 16-bit floats. */
  readonly lowered: string[];
}

/**
 * Rewrites a graph, in place, into primitive operators that read one prompt from its first token, without a cache: its logits stay equal.
 * Batch 1 and a past of length 0 are taken for granted.
 * @param probe what probe runs of this graph showed; null: only what the file says is known, which fails for some operators
 * @throws E_ONNX_UNSUPPORTED naming the node that cannot be opened up
 */
export function lowerGraph(graph: OnnxGraph, probe: Probe | null, options: LoweringOptions): Lowered {
  const lowered: string[] = [];
  withoutCache(graph, options.headSize ?? null);
  lowered.push(...inlineControlFlow(graph, probe));
  if (computeInFloat32(graph)) lowered.push('float16');

  const builder = new GraphBuilder(graph);
  const aliases = new Map<string, string>();
  const context: LoweringContext = { graph, builder, probe, aliases, shared: new Map() };
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((name) => aliases.get(name) ?? name);
    const key = operatorKey(node);
    const rule = loweringRules.get(key);
    if (rule === undefined) {
      if (key === 'com.microsoft:MatMulNBits' && options.precision === 'exact') {
        node.attributes.set('accuracy_level', { kind: 'int', value: 1 });
      }
      builder.nodes.push(node);
      continue;
    }
    rule(node, context);
    lowered.push(key);
  }
  graph.nodes = builder.nodes;
  if (lowered.length > 0) linkGraph(graph, (why) => onnxUnsupported('the model', `after it was opened up, ${why}`));
  return { lowered };
}
