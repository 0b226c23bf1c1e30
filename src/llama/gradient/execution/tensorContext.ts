/** A `ggml_context`: owns the structs of tensors and graphs, not their data. */
import { outOfMemory } from '../../../shared/errorCatalog.ts';
import type { NativeFunctions, Pointer } from '../../native/functions.ts';

export interface ContextSize {
  readonly tensors: number;
  /** Nodes of each graph. */
  readonly graphs?: readonly number[];
}

/** @throws E_OUT_OF_MEMORY */
export function newContext(functions: NativeFunctions, { tensors, graphs = [] }: ContextSize): Pointer {
  const graphBytes = graphs.reduce((sum, nodes) => sum + functions.ggml_graph_overhead_custom(nodes, false), 0);
  const context = functions.ggml_init({
    mem_size: tensors * (functions.ggml_tensor_overhead() + 64) + graphBytes + 4096,
    mem_buffer: null,
    no_alloc: true,
  });
  if (context === 0) throw outOfMemory('a graph could not be laid out');
  return context;
}
