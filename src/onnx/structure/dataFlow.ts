/** Who makes and who reads which tensor, and where everything that flows from one tensor to another passes through a single one. */
import { type GraphNode, operatorKey, type OnnxGraph } from '../graph/graph.ts';

/** Their outputs tell sizes, not values. */
const sizesOnly = new Set(['Shape', 'Size']);

export class DataFlow {
  readonly producers = new Map<string, GraphNode>();
  readonly consumers = new Map<string, GraphNode[]>();
  /** Place of each node in the order of computation. */
  readonly places = new Map<GraphNode, number>();

  constructor(readonly graph: OnnxGraph) {
    for (const [place, node] of graph.nodes.entries()) {
      this.places.set(node, place);
      for (const output of node.outputs) if (output !== '') this.producers.set(output, node);
      for (const input of new Set(node.inputs)) {
        if (input === '') continue;
        const known = this.consumers.get(input);
        if (known === undefined) this.consumers.set(input, [node]);
        else known.push(node);
      }
    }
  }

  /** The tensor and everything computed from its values. */
  descendants(from: string): Set<string> {
    const found = new Set([from]);
    for (const node of this.graph.nodes) {
      if (sizesOnly.has(operatorKey(node)) || !node.inputs.some((input) => found.has(input))) continue;
      for (const output of node.outputs) if (output !== '') found.add(output);
    }
    return found;
  }

  /** The tensor and everything it is computed from. */
  ancestors(of: string): Set<string> {
    const found = new Set<string>();
    const open = [of];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (name === '' || found.has(name)) continue;
      found.add(name);
      open.push(...(this.producers.get(name)?.inputs ?? []));
    }
    return found;
  }

  /** Whether `of` is computed from `from`. */
  isAncestor(from: string, of: string): boolean {
    const first = this.placeOf(from);
    const seen = new Set<string>();
    const open = [of];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (name === from) return true;
      if (name === '' || seen.has(name) || this.placeOf(name) <= first) continue;
      seen.add(name);
      open.push(...(this.producers.get(name)?.inputs ?? []));
    }
    return false;
  }

  /** When a tensor is computed; −1: it is there from the beginning. */
  placeOf(tensor: string): number {
    const producer = this.producers.get(tensor);
    return producer === undefined ? -1 : (this.places.get(producer) ?? -1);
  }

  /** Tensors through which everything passes that flows from `from` to `to`, in order. */
  cuts(from: string, to: string): string[] {
    const after = this.descendants(from);
    const before = this.ancestors(to);
    const isBetween = (name: string) => after.has(name) && before.has(name);
    const flows = (node: GraphNode) => !sizesOnly.has(operatorKey(node)) && node.outputs.some(isBetween);
    const waiting = new Map<string, number>();
    for (const node of this.graph.nodes) {
      if (!flows(node)) continue;
      for (const input of new Set(node.inputs)) if (isBetween(input)) waiting.set(input, (waiting.get(input) ?? 0) + 1);
    }
    const live = new Set([from]);
    const cuts = [from];
    for (const node of this.graph.nodes) {
      if (!flows(node) || node.outputs.includes(from)) continue;
      for (const input of new Set(node.inputs)) {
        if (!isBetween(input)) continue;
        const left = (waiting.get(input) ?? 1) - 1;
        waiting.set(input, left);
        if (left === 0) live.delete(input);
      }
      for (const output of node.outputs) if (isBetween(output)) live.add(output);
      const [only] = live;
      if (live.size === 1 && only !== undefined && node.outputs.includes(only)) cuts.push(only);
    }
    return cuts;
  }
}
