import { elementTypes, type GraphNode } from '../../../graph/graph.ts';
import { outputOf, type RuleContext } from '../rule.ts';
import { evaluatePointwise, isPointwise } from './pointwise.ts';

/** Keeps 0 / 0 at 0, and changes no other quotient of single precision. */
const tiny = 1e-30;
/** Operators of one activation that is written out; the longest known, GELU by tanh, has 8. */
const mostNodes = 24;

/**
 * All relevance of y = f(x) goes to x: the gradient times y / x, 0 where x is 0. f may be several operators (x · sigmoid x, GELU by tanh);
 * x is the farthest tensor of which y is a function, number by number, with f(0) = 0. What another one makes of nothing belongs to no input.
 * @returns false, and adds nothing, where there is none
 */
export function identityRule(node: GraphNode, gradient: string, context: RuleContext): boolean {
  const { builder, add } = context;
  const y = outputOf(node);
  const x = rootOf(node, context);
  if (x === null) return false;
  add(x, () => builder.multiply(gradient, builder.divide(y, builder.add(x, builder.number(tiny)))));
  return true;
}

/** The farthest x with y = f(x) element by element and f(0) = 0, or null. */
function rootOf(node: GraphNode, context: RuleContext): string | null {
  const { producer, shapes } = context;
  let found: string | null = null;
  const nodes: GraphNode[] = [];
  let open = [outputOf(node)];
  // Each operator is opened once all that reads it is: at a single open tensor the function can be cut.
  for (let next: GraphNode | undefined = node; next !== undefined && nodes.length < mostNodes; ) {
    const inputs = varyingInputs(next, context);
    if (inputs === null) break;
    nodes.push(next);
    const done = new Set(next.outputs);
    open = [...new Set([...open.filter((name) => !done.has(name)), ...inputs])];
    const [only] = open;
    if (open.length === 1 && only !== undefined) {
      const sameShape = shapes.dims(only).join('|') === shapes.dims(outputOf(node)).join('|');
      if (sameShape && isZeroAtZero(nodes, only, context)) found = only;
    }
    next = lastOf(open, nodes, producer);
  }
  return found;
}

/** Inputs that vary; null where the operator is no function of single numbers, or has a constant of more than one. */
function varyingInputs(node: GraphNode, context: RuleContext): string[] | null {
  if (!isPointwise(node)) return null;
  const varying = node.inputs.filter((input) => context.varies(input));
  const others = node.inputs.filter((input) => input !== '' && !context.varies(input));
  return others.every((input) => constantOf(input, context) !== null) ? varying : null;
}

/** The maker of the open tensor that no other open tensor is made of. */
function lastOf(open: readonly string[], seen: readonly GraphNode[], producer: RuleContext['producer']): GraphNode | undefined {
  const makers = open.map((name) => producer(name));
  return makers.find(
    (maker) =>
      maker !== undefined &&
      !seen.includes(maker) &&
      open.every((other) => maker.outputs.includes(other) || !leadsTo(other, maker, producer)),
  );
}

/** Whether a tensor is made, by few operators, of what `maker` makes. */
function leadsTo(tensor: string, maker: GraphNode, producer: RuleContext['producer']): boolean {
  const open = [tensor];
  for (let steps = 0; steps < mostNodes; steps++) {
    const name = open.pop();
    if (name === undefined) return false;
    const node = producer(name);
    if (node === undefined || !isPointwise(node)) continue;
    if (node.inputs.some((input) => maker.outputs.includes(input))) return true;
    open.push(...node.inputs);
  }
  return false;
}

function isZeroAtZero(nodes: readonly GraphNode[], root: string, context: RuleContext): boolean {
  const values = new Map([[root, 0]]);
  let value = Number.NaN;
  for (const node of nodes.toReversed()) {
    const inputs = node.inputs.flatMap((input) =>
      input === '' ? [] : [values.get(input) ?? constantOf(input, context) ?? Number.NaN],
    );
    value = evaluatePointwise(node, inputs);
    values.set(outputOf(node), value);
  }
  return Math.abs(value) < 1e-12;
}

/** The number of a constant that holds one. */
function constantOf(tensor: string, { builder, shapes }: RuleContext): number | null {
  const stored = builder.graph.initializers.get(tensor);
  if (stored?.type === elementTypes.float32 && stored.bytes?.length === 4) {
    return new DataView(stored.bytes.buffer, stored.bytes.byteOffset, 4).getFloat32(0, true);
  }
  const { values } = shapes.facts(tensor);
  const [first, second] = values ?? [[], []];
  return first.length === 1 && first[0] === second[0] ? (first[0] ?? null) : null;
}
