import type { GraphNode, GraphTensor, OnnxGraph } from '../graph/graph.ts';
import { namesRead } from '../proto/linkGraph.ts';

/** Results of these tell a shape; no value flows through them. */
const shapeOperators: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** Who makes and who reads a tensor. */
export class DataFlow {
  readonly #producers = new Map<string, GraphNode>();
  readonly #readers = new Map<string, GraphNode[]>();

  constructor(readonly graph: OnnxGraph) {
    for (const node of graph.nodes) {
      for (const name of node.outputs) this.#producers.set(name, node);
      if (shapeOperators.has(node.op)) continue;
      for (const name of new Set(namesRead(node))) {
        const readers = this.#readers.get(name);
        if (readers === undefined) this.#readers.set(name, [node]);
        else readers.push(node);
      }
    }
  }

  producer(name: string): GraphNode | null {
    return this.#producers.get(name) ?? null;
  }

  readers(name: string): readonly GraphNode[] {
    return this.#readers.get(name) ?? [];
  }

  /** The weights a tensor is, or is unpacked from; null where it is computed from the prompt. */
  table(name: string): GraphTensor | null {
    let found = name;
    for (let node = this.producer(found); node !== null; node = this.producer(found)) found = node.inputs[0] ?? '';
    return this.graph.initializers.get(found) ?? null;
  }

  /** Tensors whose values are computed from this one, itself included. */
  after(name: string): Set<string> {
    return reach(name, (from) => this.readers(from).flatMap(({ outputs }) => outputs));
  }

  /** Tensors whose values this one is computed from, itself included. */
  before(name: string): Set<string> {
    return reach(name, (from) => {
      const node = this.producer(from);
      return node === null || shapeOperators.has(node.op) ? [] : namesRead(node);
    });
  }
}

function reach(start: string, next: (name: string) => readonly string[]): Set<string> {
  const seen = new Set([start]);
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const other of next(name)) {
      if (other === '' || seen.has(other)) continue;
      seen.add(other);
      open.push(other);
    }
  }
  return seen;
}
