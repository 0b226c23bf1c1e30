import { elementTypes, type GraphNode, intsAttribute } from '../graph/graph.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';

/** Exporters write at least this for “to the end”. */
const openEnd = 2 ** 30;

const copies: ReadonlySet<string> = new Set(['Identity', 'Dropout', 'Cast', 'Expand', 'Slice', 'Reshape', 'Tile', 'Pad']);

/**
 * The input a node only hands on, judged by both probe runs: casts to the same type, expansions and slices to the same shape, a concatenation with nothing,
 * multiplication by one, addition of zero. Null: it does something.
 * @param isConstant whether a tensor is the same in every run: a mask of ones in both probes is not
 */
export function handedOn(node: GraphNode, probe: Probe, isConstant: (tensor: string) => boolean): string | null {
  const [x = '', second = ''] = node.inputs;
  const output = probe.facts(node.outputs[0] ?? '');
  if (output === undefined || node.domain !== '') return null;
  const isAll = (name: string, value: number) => isConstant(name) && holdsOnly(probe.facts(name), value);
  const hands = (name: string) => sameForm(probe.facts(name), output);
  if (copies.has(node.op))
    return hands(x) && !(node.op === 'Slice' && (turnsRound(node, probe) || endsSomewhere(node, probe, output))) ? x : null;
  if (node.op === 'Transpose') {
    const perm = intsAttribute(node, 'perm');
    return perm?.every((axis, i) => axis === i) === true && hands(x) ? x : null;
  }
  if (node.op === 'Concat') {
    const full = node.inputs.filter((name) => !isEmpty(probe.facts(name)));
    return full.length === 1 && hands(full[0] ?? '') ? (full[0] ?? null) : null;
  }
  if ((node.op === 'Mul' || node.op === 'Div') && isAll(second, 1) && hands(x)) return x;
  if ((node.op === 'Add' || node.op === 'Sub') && isAll(second, 0) && hands(x)) return x;
  if (node.op === 'Mul' && isAll(x, 1) && hands(second)) return second;
  if (node.op === 'Add' && isAll(x, 0) && hands(second)) return second;
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

/** A fixed end that no probe reached: longer prompts would be cut there. */
function endsSomewhere(node: GraphNode, probe: Probe, { dims }: TensorFacts): boolean {
  if (sameDims(dims[0], dims[1])) return false;
  const values = probe.facts(node.inputs[2] ?? '')?.values;
  const ends = node.inputs.length > 1 ? (values ?? null) : [intsAttribute(node, 'ends') ?? [], intsAttribute(node, 'ends') ?? []];
  if (ends === null) return true;
  const [first = [], second = []] = ends;
  return first.some((end, i) => end > 0 && end < openEnd && end === second[i]);
}

function isEmpty(facts: TensorFacts | undefined): boolean {
  return facts?.dims.every((dims) => dims.includes(0)) ?? false;
}

function holdsOnly(facts: TensorFacts | undefined, value: number): boolean {
  const floating = facts?.type === elementTypes.float32;
  return floating && facts.values !== null && facts.values.flat().every((element) => element === value) && !isEmpty(facts);
}
