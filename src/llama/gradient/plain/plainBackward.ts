/** The backward pass in doubles, one operator after the other: slow, plain, and the reference for the graph of ggml operators. */
import type { OperatorNumbers } from '../execution/emitter.ts';
import type { TapeNode, TapeTensor } from '../tape/tape.ts';
import type { PlainContext, PlainRuleTable } from './plainRule.ts';
import { elementCount, type PlainTensor } from './plainTensor.ts';

export interface PlainPass {
  /** Computed nodes, in order. */
  readonly nodes: readonly TapeNode[];
  readonly needed: ReadonlySet<TapeTensor>;
  readonly rules: PlainRuleTable;
  readonly numbers: OperatorNumbers;
  readonly value: (tensor: TapeTensor) => PlainTensor;
  /** Cotangents by the node they enter at, contiguous. */
  readonly seeds: ReadonlyMap<TapeNode, Float32Array>;
}

/** Gradients of every needed tensor, contiguous. @throws Error when an operator has no plain rule */
export function plainBackward({ nodes, needed, rules, numbers, value, seeds }: PlainPass): ReadonlyMap<TapeTensor, Float64Array> {
  const gradients = new Map<TapeTensor, Float64Array>();
  const gradientOf = (tensor: TapeTensor) => {
    const known = gradients.get(tensor);
    if (known !== undefined) return known;
    const fresh = new Float64Array(elementCount(tensor.header.ne));
    gradients.set(tensor, fresh);
    return fresh;
  };
  const context: PlainContext = {
    numbers,
    value,
    needs: (tensor) => needed.has(tensor),
    // What nobody asks for is collected nowhere.
    gradientOf: (tensor) =>
      needed.has(tensor) || tensor.kind === 'cache' ? gradientOf(tensor) : new Float64Array(elementCount(tensor.header.ne)),
  };
  for (const [node, seed] of seeds) gradientOf(node).set(seed);
  for (const node of nodes.toReversed()) {
    const gradient = gradients.get(node);
    if (!needed.has(node) || (gradient === undefined && node.operator !== 'SET_ROWS')) continue;
    const rule = rules[node.operator];
    if (rule === undefined) throw new Error(`no plain rule for ${node.operator}`);
    rule(context, node, gradient ?? new Float64Array(0));
  }
  return gradients;
}
