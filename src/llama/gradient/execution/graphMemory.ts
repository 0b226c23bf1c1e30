/** The memory graphs are placed in. One graph uses it at a time; the next one finds it warm, which saves the system clearing it anew. */
import type { Pointer } from '../../native/functions.ts';
import type { GraphBackend } from './backend.ts';

export class GraphMemory {
  readonly #backend: GraphBackend;
  #allocator: Pointer = 0;

  constructor(backend: GraphBackend) {
    this.#backend = backend;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#allocator === 0 ? 0 : this.#backend.functions.ggml_gallocr_get_buffer_size(this.#allocator, 0);
  }

  /** Places the tensors of a graph, taking more memory where it needs more. @returns false when there is none */
  place(graph: Pointer): boolean {
    const { functions, bufferType } = this.#backend;
    if (this.#allocator === 0) this.#allocator = functions.ggml_gallocr_new(bufferType);
    // Without a plan of its own a graph of the same shape would get the last one's, which may keep fewer values to the end.
    return functions.ggml_gallocr_reserve(this.#allocator, graph) && functions.ggml_gallocr_alloc_graph(this.#allocator, graph);
  }

  /** Gives the memory back; graphs that were placed in it must not be computed any more. */
  free(): void {
    if (this.#allocator !== 0) this.#backend.functions.ggml_gallocr_free(this.#allocator);
    this.#allocator = 0;
  }
}
