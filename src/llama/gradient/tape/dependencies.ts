/** Which parts of a recorded pass a request touches. */
import type { RuleTable } from '../rules/rule.ts';
import type { OperatorNumbers } from '../execution/emitter.ts';
import { isComputed } from './recordTape.ts';
import { layerOf, type Tape, type TapeNode, type TapeTensor } from './tape.ts';

/** What a node reads: its operands, and for a view of a cache whoever filled it before. */
function reads(node: TapeNode): readonly TapeTensor[] {
  const found: TapeTensor[] = [];
  for (const source of node.sources) {
    if (source === null) continue;
    found.push(source);
    if (source.kind === 'cache' && node.operator !== 'SET_ROWS') {
      found.push(...source.writers.filter((writer) => writer.index < node.index));
    }
  }
  return found;
}

/** Nodes that must be computed for the given ones, in order. `given` are not computed: their values are put in. */
export function requiredNodes(tape: Tape, ends: readonly TapeNode[], given: readonly TapeNode[]): TapeNode[] {
  const stop = new Set<TapeTensor>(given);
  const required = new Set<TapeNode>();
  const open: TapeTensor[] = [...ends];
  for (let tensor = open.pop(); tensor !== undefined; tensor = open.pop()) {
    if (tensor.kind !== 'node' || stop.has(tensor) || required.has(tensor)) continue;
    required.add(tensor);
    open.push(...reads(tensor));
    if (tensor.root !== null) open.push(tensor.root);
  }
  return tape.nodes.filter((node) => required.has(node) && isComputed(node));
}

/** ggml's integer types, I8 to I64: choices, not quantities. The order of experts has no derivative. */
const integers = { first: 24, last: 27 } as const;

/** Everything whose value depends on one of the wanted nodes, those included: where a gradient must flow. */
export function neededTensors(nodes: readonly TapeNode[], wanted: readonly TapeNode[]): Set<TapeTensor> {
  const needed = new Set<TapeTensor>(wanted);
  for (const node of nodes) {
    const { type } = node.header;
    const chooses = type >= integers.first && type <= integers.last;
    if (!chooses && reads(node).some((source) => needed.has(source))) needed.add(node);
  }
  return needed;
}

/** The nodes a gradient flows through. */
export function flowingNodes(nodes: readonly TapeNode[], needed: ReadonlySet<TapeTensor>): TapeNode[] {
  return nodes.filter((node) => needed.has(node) && reads(node).some((source) => needed.has(source)));
}

export interface Obstacle {
  readonly node: TapeNode;
  readonly layer: number | null;
  readonly why: string;
}

/** The first node a gradient must flow through that has no rule, or null. */
export function firstObstacle(
  rules: RuleTable,
  nodes: readonly TapeNode[],
  needed: ReadonlySet<TapeTensor>,
  numbers: OperatorNumbers,
  tokens: number,
): Obstacle | null {
  for (const node of flowingNodes(nodes, needed)) {
    const rule = rules.get(node.operator);
    const why = rule === undefined ? 'its derivative has no rule yet' : (rule.refusal?.(node, numbers, tokens) ?? null);
    if (why !== null) return { node, layer: layerOf(node), why };
  }
  return null;
}
