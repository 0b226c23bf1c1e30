/** What ONNX Runtime computes on: the processor, or another execution provider by the runtime's own name (webgpu, cuda, coreml, dml). */
import { onnxProvider } from '../../shared/onnxErrors.ts';
import { LoupeError } from '../../shared/errors.ts';
import { elementTypes, type OnnxGraph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { loadRuntime } from './loadRuntime.ts';
import { createSession } from './session.ts';

export const cpuProvider = 'cpu';

/**
 * Makes sure that a provider is there and starts: one sum is computed on it. The processor needs no proof.
 * @throws E_ONNX_PROVIDER with the names of those there are, E_ONNX_RUNTIME_MISSING
 */
export async function proveProvider(provider: string): Promise<void> {
  if (provider === cpuProvider) return;
  const runtime = await loadRuntime();
  const known = runtime.listSupportedBackends().map(({ name }) => name);
  if (!known.includes(provider)) throw onnxProvider(provider, 'ONNX Runtime has none of this name on this system', known);
  const graph = sumOfTwo();
  const options = { threads: 1, providers: [provider] } as const;
  try {
    const session = await createSession(writeGraph(graph, { outputs: ['sum'] }), graph.folder, options);
    try {
      const { sum } = await session.run({ x: { type: elementTypes.float32, dims: [2], data: Float32Array.of(1, 2) } });
      const [first, second] = sum?.data ?? [];
      if (first !== 2 || second !== 4) throw onnxProvider(provider, `it gives ${String(first)} for 1 + 1`, known);
    } finally {
      await session.release();
    }
  } catch (error) {
    if (error instanceof LoupeError && error.code === 'E_ONNX_RUNTIME') throw onnxProvider(provider, error.parts.why, known);
    throw error;
  }
}

/** x + x, [2] */
function sumOfTwo(): OnnxGraph {
  const graph: OnnxGraph = {
    nodes: [],
    initializers: new Map(),
    inputs: [{ name: 'x', type: elementTypes.float32, dims: [2] }],
    outputs: [{ name: 'sum', type: elementTypes.float32, dims: [2] }],
    irVersion: 8,
    opsets: new Map([['', 17]]),
    folder: '',
    functions: [],
  };
  const builder = new GraphBuilder(graph);
  builder.node('Add', ['x', 'x'], {}, { output: 'sum' });
  graph.nodes = builder.nodes;
  return graph;
}
