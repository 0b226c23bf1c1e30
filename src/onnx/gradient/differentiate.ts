import type { GradientRules } from '../../model/gradient.ts';
import { gradientUnsupported } from '../../shared/errorCatalog.ts';
import { LoupeError } from '../../shared/errors.ts';
import { elementTypes, type GraphNode, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import { isExperts } from '../structure/experts.ts';
import { descendants, takesAnyType } from './activity.ts';
import type { RuleContext, RuleTable } from './rules/rule.ts';
import { ruleTables } from './rules/ruleTables.ts';
import { Shapes } from './shapes.ts';

/** Methods that need no gradient, for the message. */
const withoutGradients = ['occlusion', 'attention'];

export interface DifferentiationRequest {
  /** Tensor of the graph → name of its cotangent: a float32 tensor of the same shape, an input or the output of a node. */
  readonly seeds: ReadonlyMap<string, string>;
  /** Where the gradient ends: usually the embeddings. What does not depend on them has none. */
  readonly roots: readonly string[];
  /** Tensors whose gradient is asked for. */
  readonly wanted: readonly string[];
  /** What stands for the derivative of an operator. Default: exact. */
  readonly rules?: GradientRules;
  /** With the rules `rescale`: where the second run holds a tensor of the first; the same name where both share it. */
  readonly reference?: (tensor: string) => string;
  /** Told of each node the gradient cannot go through, from the last to the first, instead of an error: the graph that comes of it is of no use. */
  readonly onObstacle?: (node: GraphNode, why: string) => void;
}

/**
 * Reverse-mode differentiation, written as nodes that ONNX Runtime runs: Σ over seeds of ⟨cotangent, tensor⟩, differentiated by each
 * wanted tensor. The new nodes are in `builder.nodes`; they read the tensors of the forward pass, and hold at any prompt length.
 *
 * @param graph lowered: operators that hide attention have no rule
 * @param probe facts of every tensor of the graph
 * @param builder names its nodes unlike any before it on this graph
 * @returns wanted tensor → name of its gradient, float32 in its shape, each name its own; a tensor the seeds do not depend on is absent
 * @throws E_GRADIENT_UNSUPPORTED naming the node the gradient cannot go through
 */
export function differentiate(
  graph: OnnxGraph,
  probe: Probe,
  builder: GraphBuilder,
  request: DifferentiationRequest,
): Map<string, string> {
  const fromRoots = descendants(graph, probe, request.roots);
  const wanted = request.wanted.filter((tensor) => fromRoots.has(tensor));
  const backward = new BackwardPass({
    probe,
    builder,
    active: descendants(graph, probe, wanted),
    varying: fromRoots,
    producers: producersOf(graph, [...request.roots, ...wanted]),
    rules: request.rules ?? 'exact',
    reference: request.reference ?? ((tensor) => tensor),
    onObstacle: request.onObstacle ?? null,
  });
  for (const [tensor, cotangent] of request.seeds) backward.context.add(tensor, () => cotangent);
  for (const node of [...graph.nodes].reverse()) backward.visit(node);
  const gradients = new Map<string, string>();
  const taken = new Set(request.seeds.values());
  for (const tensor of wanted) {
    const gradient = backward.gradientOf(tensor);
    if (gradient === null) continue;
    const own = taken.has(gradient) ? builder.node('Identity', [gradient]) : gradient;
    taken.add(own);
    gradients.set(tensor, own);
  }
  return gradients;
}

/** @param ends tensors beyond which no function is followed */
function producersOf(graph: OnnxGraph, ends: readonly string[]): ReadonlyMap<string, GraphNode> {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  for (const end of ends) producers.delete(end);
  return producers;
}

interface BackwardParts {
  readonly probe: Probe;
  readonly builder: GraphBuilder;
  readonly active: ReadonlySet<string>;
  readonly varying: ReadonlySet<string>;
  readonly producers: ReadonlyMap<string, GraphNode>;
  readonly rules: GradientRules;
  readonly reference: (tensor: string) => string;
  readonly onObstacle: ((node: GraphNode, why: string) => void) | null;
}

class BackwardPass {
  readonly context: RuleContext;
  readonly #table: RuleTable;
  /** Contributions to the gradient of each tensor. */
  readonly #gradients = new Map<string, string[]>();
  readonly #shared = new Map<string, string>();
  /** What stands in a tensor's place → the tensor: its mean over two runs, its value in the second. */
  readonly #standIns = new Map<string, string>();
  #node: GraphNode | null = null;

  constructor(private readonly parts: BackwardParts) {
    const { builder, probe, active, varying, producers } = parts;
    this.#table = ruleTables[parts.rules];
    const own = (tensor: string) => this.#standIns.get(tensor) ?? tensor;
    const standIn = (name: string, tensor: string) => {
      if (name !== tensor) this.#standIns.set(name, tensor);
      return name;
    };
    this.context = {
      builder,
      shapes: new Shapes(builder, probe, (tensor) => this.#facts(tensor)),
      isActive: (tensor) => active.has(own(tensor)),
      varies: (tensor) => varying.has(own(tensor)),
      producer: (tensor) => producers.get(tensor),
      reference: (tensor) => standIn(parts.reference(tensor), tensor),
      mean: (tensor) => {
        if (!varying.has(tensor)) return tensor;
        const { once, reference } = this.context;
        const halved = () => builder.multiply(builder.add(tensor, reference(tensor)), builder.number(0.5));
        return standIn(once(`mean ${tensor}`, halved), tensor);
      },
      standIn,
      add: (standing, gradient) => {
        const tensor = own(standing);
        if (!active.has(tensor)) return;
        const known = this.#gradients.get(tensor);
        if (known === undefined) this.#gradients.set(tensor, [gradient()]);
        else known.push(gradient());
      },
      once: (key, make) => {
        const name = this.#shared.get(key) ?? make();
        this.#shared.set(key, name);
        return name;
      },
      refusal: (why) => this.#refusal(why),
    };
  }

  /** To be called from the last node to the first. */
  visit(node: GraphNode): void {
    if (!node.outputs.some((output) => this.#gradients.has(output))) return;
    const inputs = node.inputs.filter((input) => this.parts.active.has(input));
    const capturing = [...node.attributes.values()].some(({ kind }) => kind === 'graph');
    if (inputs.length === 0 && !capturing) return;
    this.#node = node;
    const { onObstacle } = this.parts;
    if (onObstacle === null) {
      this.#apply(node, inputs);
      return;
    }
    try {
      this.#apply(node, inputs);
    } catch (error) {
      if (!(error instanceof LoupeError)) throw error;
      onObstacle(node, error.parts.why);
      // What lies behind it is looked at too.
      for (const input of inputs) this.context.add(input, () => input);
    }
  }

  #apply(node: GraphNode, inputs: readonly string[]): void {
    const gradients = node.outputs.map((output) => this.gradientOf(output));
    const rule = this.#table.get(operatorKey(node));
    if (rule === undefined) throw this.#refusal(this.#withoutRule(node));
    if (!takesAnyType(node)) this.#checkTypes([...inputs, ...node.outputs.filter((_, i) => gradients[i] !== null)]);
    rule(node, gradients, this.context);
  }

  #withoutRule(node: GraphNode): string {
    const { rules } = this.parts;
    const key = operatorKey(node);
    if (isExperts(node)) return 'it is a mixture of experts, which is not opened up';
    return ruleTables.exact.has(key) ? `the rules "${rules}" have none for it` : 'its derivative has no rule yet';
  }

  /** The sum of what was collected; null where there is nothing. */
  gradientOf(tensor: string): string | null {
    const parts = this.#gradients.get(tensor);
    if (parts === undefined) return null;
    const total = parts.reduce((sum, part) => this.parts.builder.add(sum, part));
    this.#gradients.set(tensor, [total]);
    return total;
  }

  #checkTypes(tensors: readonly string[]): void {
    for (const tensor of tensors) {
      const { type } = this.#facts(tensor);
      if (type === elementTypes.float32) continue;
      throw this.#refusal(
        `its tensor ${quoted(tensor)} has the element type ${typeName(type)}, and gradients are computed in float32`,
      );
    }
  }

  #facts(tensor: string): TensorFacts {
    const facts = this.parts.probe.facts(this.#standIns.get(tensor) ?? tensor);
    if (facts === undefined) throw this.#refusal(`the shape of its tensor ${quoted(tensor)} is not known`);
    return facts;
  }

  #refusal(why: string): LoupeError {
    const node = this.#node;
    if (node === null) return gradientUnsupported('the graph', why, withoutGradients);
    const output = node.outputs.find((name) => name !== '') ?? '';
    const named = node.name === '' ? '' : `node ${quoted(node.name)}, `;
    return gradientUnsupported(`${operatorKey(node)} (${named}tensor ${quoted(output)})`, why, withoutGradients);
  }
}

/** Names come from the file: quoted, and cut. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

function typeName(type: number): string {
  return Object.entries(elementTypes).find(([, code]) => code === type)?.[0] ?? String(type);
}
