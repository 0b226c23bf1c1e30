/**
 * Which axes of a tensor are as long as the prompt, as far as it follows from the operators on the way. ONNX Runtime infers the same, but loses
 * the length where a tensor meets one of unknown size (a mask that is cut to size meets the scores, and all behind it is unknown). With
 * unknown sizes no buffer is seen to fit another, and its search for one takes as long as all the rest of preparing a session.
 */
import { type GraphNode, type GraphValue, intAttribute, intsAttribute, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';

/** For each axis, whether its size is the number of tokens in every run. */
type PromptAxes = readonly boolean[];

/** Name of that size. */
const tokens = 'loupe/tokens';

/** Two tensors of one shape, but for axes of size 1. */
const broadcasting: ReadonlySet<string> = new Set(
  'Add Sub Mul Div Pow Mod Where And Or Xor Equal Less LessOrEqual Greater GreaterOrEqual Max Min Sum PRelu'.split(' '),
);
/** The result has the shape of the first input. */
const shapeKeeping: ReadonlySet<string> = new Set(
  (
    'Abs Cast Clip Cos CumSum Elu Erf Exp Floor Gelu HardSigmoid Identity IsNaN LayerNormalization LeakyRelu Log LogSoftmax Neg Not ' +
    'Reciprocal Relu RMSNormalization Round Sigmoid SimplifiedLayerNormalization Sin Softmax Softplus Sqrt Tanh Trilu'
  ).split(' '),
);

export interface PromptShapes {
  /** The graph's inputs, their open sizes by what they are always given. */
  readonly inputs: readonly GraphValue[];
  /** Tensors with axes that are as long as the prompt; other axes are left open. */
  readonly known: readonly GraphValue[];
}

export function promptShapes(graph: OnnxGraph, probe: Probe): PromptShapes {
  const axes = new Map<string, PromptAxes>();
  const inputs = graph.inputs.map((input) => withSizes(input, probe));
  for (const { name, dims } of inputs)
    axes.set(
      name,
      (dims ?? []).map((dim) => dim === tokens),
    );
  const known: GraphValue[] = [];
  for (const node of graph.nodes) {
    const found = axesOf(node, axes, probe);
    const [output = ''] = node.outputs;
    const facts = probe.facts(output);
    if (found?.includes(true) !== true || facts === undefined) continue;
    axes.set(output, found);
    known.push({ name: output, type: facts.type, dims: found.map((is) => (is ? tokens : '')) });
  }
  return { inputs, known };
}

function withSizes(input: GraphValue, probe: Probe): GraphValue {
  const facts = probe.facts(input.name);
  if (input.dims === null || facts === undefined) return input;
  const [first, second] = facts.dims;
  const dims = input.dims.map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    if (first[axis] === probe.lengths[0] && second[axis] === probe.lengths[1]) return tokens;
    return first[axis] === 1 && second[axis] === 1 ? 1 : dim;
  });
  return { ...input, dims };
}

/** Of the first output; null where nothing is known. */
function axesOf(node: GraphNode, known: ReadonlyMap<string, PromptAxes>, probe: Probe): PromptAxes | null {
  const [x = '', second = ''] = node.inputs;
  const of = known.get(x);
  const rank = (name: string) => probe.facts(name)?.dims[0].length;
  const outputRank = rank(node.outputs[0] ?? '');
  const values = (name: string) => fixedValues(probe, name);
  const key = operatorKey(node);
  if (outputRank === undefined) return null;
  if (broadcasting.has(key)) return aligned(node.inputs, known, outputRank);
  if (shapeKeeping.has(key)) return of ?? null;
  switch (key) {
    case 'MatMul':
      return outputRank === Math.max(rank(x) ?? 0, rank(second) ?? 0) ? productAxes(of, known.get(second), outputRank) : null;
    case 'com.microsoft:MatMulNBits':
      return productAxes(of, undefined, outputRank);
    case 'Transpose':
      return (of && intsAttribute(node, 'perm')?.map((axis) => of[axis] === true)) ?? null;
    case 'Expand':
      return aligned([x], known, outputRank);
    case 'Concat': {
      const axis = intAttribute(node, 'axis', 0);
      return aligned(node.inputs, known, outputRank).map((is, at) => is && at !== (axis < 0 ? axis + outputRank : axis));
    }
    case 'Gather':
    case 'com.microsoft:GatherBlockQuantized': {
      const indices = known.get(second);
      const isTable = intAttribute(node, key === 'Gather' ? 'axis' : 'gather_axis', 0) === 0 && rank(x) === 2;
      return isTable && indices !== undefined ? [...indices, false] : null;
    }
    case 'Slice': {
      const cut = values(node.inputs[3] ?? '');
      return of !== undefined && cut !== null ? of.map((is, axis) => is && !isAmong(cut, axis, outputRank)) : null;
    }
    case 'Reshape': {
      const target = values(second);
      const copies = intAttribute(node, 'allowzero', 0) === 0;
      return of !== undefined && target !== null && copies ? target.map((size, axis) => size === 0 && of[axis] === true) : null;
    }
    case 'Unsqueeze': {
      const added = values(second);
      if (of === undefined || added === null) return null;
      const left = [...of];
      return Array.from({ length: outputRank }, (_, axis) => !isAmong(added, axis, outputRank) && left.shift() === true);
    }
    case 'ReduceMean':
    case 'ReduceSum':
    case 'ReduceMax': {
      const reduced = intsAttribute(node, 'axes') ?? values(second);
      // No axes are all of them, unless the node says otherwise.
      return of !== undefined && reduced !== null && reduced.length > 0 && outputRank === of.length
        ? of.map((is, axis) => is && !isAmong(reduced, axis, outputRank))
        : null;
    }
    default:
      return null;
  }
}

function isAmong(axes: readonly number[], axis: number, rank: number): boolean {
  return axes.includes(axis) || axes.includes(axis - rank);
}

/** Where one of several is as long as the prompt, the others are so too, or of size 1. */
function aligned(names: readonly string[], known: ReadonlyMap<string, PromptAxes>, rank: number): boolean[] {
  const all = names.flatMap((name) => (known.has(name) ? [known.get(name) ?? []] : []));
  return Array.from({ length: rank }, (_, axis) => all.some((axes) => axes[axis - rank + axes.length] === true));
}

/** [.., n, k] by [.., k, m]. */
function productAxes(a: PromptAxes | undefined, b: PromptAxes | undefined, rank: number): PromptAxes | null {
  if (a?.length === 1 || b?.length === 1) return null;
  const at = (axes: PromptAxes = [], axis: number) => axes[axis - rank + axes.length] === true;
  return Array.from({ length: rank }, (_, axis) =>
    axis === rank - 1 ? at(b, axis) : axis === rank - 2 ? at(a, axis) : at(a, axis) || at(b, axis),
  );
}

/** The small whole numbers of a tensor that is the same in every run. */
function fixedValues(probe: Probe, name: string): readonly number[] | null {
  const [first, second] = probe.facts(name)?.values ?? [];
  return first?.every((value, i) => value === second?.[i]) === true ? first : null;
}
