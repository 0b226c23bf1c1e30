/** Which tensors carry a gradient. */
import { elementTypes, type GraphNode, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';

const floatTypes: ReadonlySet<number> = new Set([
  elementTypes.float32,
  elementTypes.float16,
  elementTypes.float64,
  elementTypes.bfloat16,
]);

/** Their outputs change in steps, or tell only sizes: the derivative is 0 wherever there is one. */
const withoutDerivative: ReadonlySet<string> = new Set([
  'Shape',
  'Size',
  'IsNaN',
  'IsInf',
  'Sign',
  'Floor',
  'Ceil',
  'Round',
  'OneHot',
]);

/**
 * Quantised values that stand for real ones: a gradient goes straight through the rounding (Bengio et al. 2013, arXiv 1308.3432),
 * from the first output of these.
 */
const roundings: ReadonlySet<string> = new Set(['DynamicQuantizeLinear', 'QuantizeLinear', 'MatMulInteger']);

/** Operators that put elements in other places and leave them as they are: their rules read no values. */
const placements: ReadonlySet<string> = new Set([
  'Identity',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Expand',
  'Concat',
  'Split',
  'Slice',
  'Gather',
  'Tile',
]);

/** From rounded values back to real ones. */
const returns: ReadonlySet<string> = new Set(['Cast', 'DequantizeLinear', 'com.microsoft:MatMulIntegerToFloat']);

/** Whether a rule may be applied to tensors that are not float32. */
export function takesAnyType(node: GraphNode): boolean {
  const key = operatorKey(node);
  return placements.has(key) || roundings.has(key) || returns.has(key);
}

/** Names a node reads, those in its branches and bodies included. */
function readsOf(node: GraphNode): string[] {
  const names = [...node.inputs];
  for (const { kind, value } of node.attributes.values()) {
    if (kind === 'graph') names.push(...value.nodes.flatMap(readsOf));
  }
  return names;
}

/** The given tensors and everything that depends on them in a way that has a derivative. */
export function descendants(graph: OnnxGraph, probe: Probe, from: Iterable<string>): Set<string> {
  const found = new Set(from);
  for (const node of graph.nodes) {
    const key = operatorKey(node);
    if (withoutDerivative.has(key) || !readsOf(node).some((name) => found.has(name))) continue;
    node.outputs.forEach((output, index) => {
      if (output !== '' && carries(key, output, index, probe)) found.add(output);
    });
  }
  return found;
}

function carries(key: string, output: string, index: number, probe: Probe): boolean {
  if (roundings.has(key)) return index === 0;
  const type = probe.facts(output)?.type;
  // Not seen, or 8 bits that stand for real numbers (QLinearAdd): the rule that meets it, or that there is none, says so.
  if (type === undefined || floatTypes.has(type) || type === elementTypes.uint8 || type === elementTypes.int8) return true;
  return placements.has(key);
}
