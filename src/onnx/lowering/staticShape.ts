import type { GraphNode } from '../graph/graph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';

/**
 * Gives Reshape and Expand a constant target that is right for every prompt length, where there is one: sizes that change with the length are copied
 * from the input (0 for Reshape, 1 for Expand) or left to be inferred (−1, once).
 * @returns true when the node was changed
 */
export function makeShapeStatic(node: GraphNode, probe: Probe, builder: GraphBuilder): boolean {
  const [x = '', shape = ''] = node.inputs;
  if (node.domain !== '' || (node.op !== 'Reshape' && node.op !== 'Expand') || builder.graph.initializers.has(shape))
    return false;
  const input = probe.facts(x);
  const output = probe.facts(node.outputs[0] ?? '');
  if (input === undefined || output === undefined) return false;
  if ([...input.dims, ...output.dims].some((dims) => dims.includes(0)) || output.dims[0].length !== output.dims[1].length)
    return false;
  const target = node.op === 'Reshape' ? reshapeTarget(input, output) : expandTarget(input, output);
  if (target === null) return false;
  node.inputs = [x, builder.ints(...target)];
  node.attributes.delete('allowzero');
  return true;
}

function reshapeTarget(input: TensorFacts, output: TensorFacts): number[] | null {
  const target = output.dims[0].map((size, axis) => {
    const same = size === input.dims[0][axis] && output.dims[1][axis] === input.dims[1][axis];
    // The batch is copied too, though it is 1 in every probe.
    if (same && (axis === 0 || size !== output.dims[1][axis])) return 0;
    return size === output.dims[1][axis] ? size : -1;
  });
  return target.filter((size) => size === -1).length > 1 ? null : target;
}

function expandTarget(input: TensorFacts, output: TensorFacts): number[] | null {
  const added = output.dims[0].length - input.dims[0].length;
  const target: number[] = [];
  for (const [axis, size] of output.dims[0].entries()) {
    const other = output.dims[1][axis];
    const same = axis >= added && size === input.dims[0][axis - added] && other === input.dims[1][axis - added];
    if (same) target.push(1);
    else if (size === other) target.push(size);
    else return null;
  }
  return target;
}
