import { elementTypes, type GraphNode, intsAttribute } from '../graph/graph.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';

const copies: ReadonlySet<string> = new Set(['Identity', 'Dropout', 'Cast', 'Expand', 'Slice', 'Reshape', 'Tile', 'Pad']);

/**
 * The input a node only hands on, judged by both probe runs: casts to the same type, expansions and slices to the same shape, a concatenation with nothing,
 * multiplication by one, addition of zero. Null: it does something.
 */
export function handedOn(node: GraphNode, probe: Probe): string | null {
  const [x = '', second = ''] = node.inputs;
  const output = probe.facts(node.outputs[0] ?? '');
  if (output === undefined || node.domain !== '') return null;
  const hands = (name: string) => sameForm(probe.facts(name), output);
  if (copies.has(node.op)) return hands(x) && !(node.op === 'Slice' && turnsRound(node, probe)) ? x : null;
  if (node.op === 'Transpose') {
    const perm = intsAttribute(node, 'perm');
    return perm?.every((axis, i) => axis === i) === true && hands(x) ? x : null;
  }
  if (node.op === 'Concat') {
    const full = node.inputs.filter((name) => !isEmpty(probe.facts(name)));
    return full.length === 1 && hands(full[0] ?? '') ? (full[0] ?? null) : null;
  }
  if ((node.op === 'Mul' || node.op === 'Div') && isAll(probe.facts(second), 1) && hands(x)) return x;
  if ((node.op === 'Add' || node.op === 'Sub') && isAll(probe.facts(second), 0) && hands(x)) return x;
  if (node.op === 'Mul' && isAll(probe.facts(x), 1) && hands(second)) return second;
  if (node.op === 'Add' && isAll(probe.facts(x), 0) && hands(second)) return second;
  return null;
}

export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function sameForm(a: TensorFacts | undefined, b: TensorFacts): boolean {
  return a !== undefined && a.type === b.type && sameDims(a.dims[0], b.dims[0]) && sameDims(a.dims[1], b.dims[1]);
}

/** A slice of the same shape is a copy unless it counts backwards. */
function turnsRound({ inputs }: GraphNode, probe: Probe): boolean {
  const steps = inputs[4];
  if (steps === undefined || steps === '') return false;
  const values = probe.facts(steps)?.values;
  return values === undefined || values === null || values.flat().some((step) => step < 0);
}

function isEmpty(facts: TensorFacts | undefined): boolean {
  return facts?.dims.every((dims) => dims.includes(0)) ?? false;
}

function isAll(facts: TensorFacts | undefined, value: number): boolean {
  const floating = facts?.type === elementTypes.float32;
  return floating && facts.values !== null && facts.values.flat().every((element) => element === value) && !isEmpty(facts);
}
