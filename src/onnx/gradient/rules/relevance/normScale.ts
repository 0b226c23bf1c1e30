import { operatorKey } from '../../../graph/graph.ts';
import type { RuleContext } from '../rule.ts';
import { isPointwise } from './pointwise.ts';

const reductions = new Set(['ReduceMean', 'ReduceSum', 'ReduceSumSquare', 'ReduceL2', 'ReduceL1', 'ReduceMax']);

/** Whether a factor is the scale of a norm: 1 / √(mean x² + ε) and the like, functions of one number that a reduction left. */
export function isNormScale(factor: string, { producer, varies }: RuleContext): boolean {
  let tensor = factor;
  for (let steps = 0; steps < 16; steps++) {
    const node = producer(tensor);
    if (node === undefined) return false;
    if (reductions.has(operatorKey(node))) return steps > 0;
    const inputs = node.inputs.filter(varies);
    const [next] = inputs;
    if (inputs.length !== 1 || next === undefined || !(isPointwise(node) || operatorKey(node) === 'Expand')) return false;
    tensor = next;
  }
  return false;
}
