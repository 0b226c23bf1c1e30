import { gradientUnsupported } from '../../shared/errorCatalog.ts';
import type { LoupeError } from '../../shared/errors.ts';
import { elementTypes, type GraphNode, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import { descendants, takesAnyType } from './activity.ts';
import type { RuleContext } from './rules/rule.ts';
import { gradientRules } from './rules/rules.ts';
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
  const inner = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  for (const tensor of wanted) inner.delete(tensor);
  const backward = new BackwardPass(probe, builder, descendants(graph, probe, wanted), inner);
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

class BackwardPass {
  readonly context: RuleContext;
  /** Contributions to the gradient of each tensor. */
  readonly #gradients = new Map<string, string[]>();
  readonly #shared = new Map<string, string>();
  #node: GraphNode | null = null;

  constructor(
    private readonly probe: Probe,
    private readonly builder: GraphBuilder,
    private readonly active: ReadonlySet<string>,
    /** Tensor whose gradient is not asked for → the node that makes it. */
    private readonly inner: ReadonlyMap<string, GraphNode>,
  ) {
    this.context = {
      builder,
      shapes: new Shapes(builder, probe, (tensor) => this.#facts(tensor)),
      isActive: (tensor) => this.active.has(tensor),
      innerNode: (tensor) => this.inner.get(tensor) ?? null,
      add: (tensor, gradient) => {
        if (!this.active.has(tensor)) return;
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
    const inputs = node.inputs.filter((input) => this.active.has(input));
    const capturing = [...node.attributes.values()].some(({ kind }) => kind === 'graph');
    if (inputs.length === 0 && !capturing) return;
    this.#node = node;
    const gradients = node.outputs.map((output) => this.gradientOf(output));
    const rule = gradientRules.get(operatorKey(node));
    if (rule === undefined) throw this.#refusal('its derivative has no rule yet');
    if (!takesAnyType(node)) this.#checkTypes([...inputs, ...node.outputs.filter((_, i) => gradients[i] !== null)]);
    rule(node, gradients, this.context);
  }

  /** The sum of what was collected; null where there is nothing. */
  gradientOf(tensor: string): string | null {
    const parts = this.#gradients.get(tensor);
    if (parts === undefined) return null;
    const total = parts.reduce((sum, part) => this.builder.add(sum, part));
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
    const facts = this.probe.facts(tensor);
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
