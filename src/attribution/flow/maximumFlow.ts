/** Residual capacities below this are taken for rounding. */
const smallest = 1e-9;

/**
 * A network of capacities and the most that flows from one node to another (Dinic 1970: blocking flows along shortest paths). The result
 * is exact up to `smallest` an edge.
 */
export class FlowNetwork {
  readonly #edgesOf: number[][];
  readonly #to: number[] = [];
  /** Edge e and its reverse e ^ 1 are neighbours. */
  readonly #capacity: number[] = [];
  #left = new Float64Array(0);
  #depth = new Int32Array(0);
  #next = new Int32Array(0);

  constructor(nodes: number) {
    this.#edgesOf = Array.from({ length: nodes }, () => []);
  }

  addEdge(from: number, to: number, capacity: number): void {
    this.#edgesOf[from]?.push(this.#to.length);
    this.#edgesOf[to]?.push(this.#to.length + 1);
    this.#to.push(to, from);
    this.#capacity.push(capacity, 0);
  }

  maximumFlow(source: number, sink: number): number {
    if (source === sink) return Infinity;
    this.#left = Float64Array.from(this.#capacity);
    let flow = 0;
    while (this.#layer(source, sink)) {
      this.#next = new Int32Array(this.#edgesOf.length);
      for (let pushed = this.#push(source, sink, Infinity); pushed > 0; pushed = this.#push(source, sink, Infinity))
        flow += pushed;
    }
    return flow;
  }

  /** Distances from the source along edges with something left; whether the sink is reached. */
  #layer(source: number, sink: number): boolean {
    this.#depth = new Int32Array(this.#edgesOf.length).fill(-1);
    this.#depth[source] = 0;
    const queue = [source];
    for (const node of queue) {
      for (const edge of this.#edgesOf[node] ?? []) {
        const to = this.#to[edge] as number;
        if ((this.#left[edge] as number) <= smallest || (this.#depth[to] as number) >= 0) continue;
        this.#depth[to] = (this.#depth[node] as number) + 1;
        queue.push(to);
      }
      if ((this.#depth[sink] as number) >= 0) return true;
    }
    return false;
  }

  /** Sends as much as one path takes; 0 when there is none. A path is as long as the network is deep, so recursion stays shallow. */
  #push(node: number, sink: number, limit: number): number {
    if (node === sink) return limit;
    const edges = this.#edgesOf[node] ?? [];
    for (; (this.#next[node] as number) < edges.length; this.#next[node] = (this.#next[node] as number) + 1) {
      const edge = edges[this.#next[node] as number] as number;
      const to = this.#to[edge] as number;
      const left = this.#left[edge] as number;
      if (left <= smallest || this.#depth[to] !== (this.#depth[node] as number) + 1) continue;
      const pushed = this.#push(to, sink, Math.min(limit, left));
      if (pushed === 0) continue;
      this.#left[edge] = left - pushed;
      this.#left[edge ^ 1] = (this.#left[edge ^ 1] as number) + pushed;
      return pushed;
    }
    return 0;
  }
}
