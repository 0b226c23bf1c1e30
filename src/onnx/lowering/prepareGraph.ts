import type { OnnxGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { readGraph } from '../proto/readGraph.ts';
import { probeRun } from '../runtime/probeRun.ts';
import { type SourceFacts, sourceFacts } from '../sourceFacts.ts';
import { computeInFloat32 } from './computeInFloat32.ts';
import { inlineControlFlow } from './inlineControlFlow.ts';
import { lowerGraph, type LoweringOptions } from './lowerGraph.ts';
import { refuseControlFlow } from './refuseControlFlow.ts';
import { refuseEndlessLoops } from './refuseEndlessLoops.ts';
import { simplify, type Simplified } from './simplify.ts';
import { unflattenSums } from './unflattenSums.ts';
import { withoutCache } from './withoutCache.ts';

export interface PreparedGraph {
  /** Of the graph as the file has it. */
  readonly source: SourceFacts;
  readonly graph: OnnxGraph;
  /** Of the graph as it is now. */
  readonly probe: Probe;
  readonly lowered: readonly string[];
  readonly simplified: Simplified;
}

/**
 * Reads a model file and makes it the graph that is looked into: without a cache, of primitive operators, without what only computes shapes.
 * @throws what `readGraph`, `probeRun` and `lowerGraph` throw
 */
export async function prepareGraph(
  file: string,
  options: LoweringOptions & { readonly threads: number },
): Promise<PreparedGraph> {
  const graph = readGraph(file);
  const source = sourceFacts(graph);
  withoutCache(graph, options.headSize ?? null);
  const early = inlineControlFlow(graph, null);
  refuseEndlessLoops(graph);
  // Before the first run: not every operator of ONNX Runtime has a kernel for 16-bit floats.
  if (computeInFloat32(graph)) early.push('float16');
  const given = { ...options, model: file };
  let before = await probeRun(graph, given);
  // What stood in a branch or a body was not seen by the first run.
  for (let found = inlineControlFlow(graph, before); found.length > 0; found = inlineControlFlow(graph, before)) {
    early.push(...found);
    before = await probeRun(graph, given);
  }
  const { lowered } = lowerGraph(graph, before, options);
  const moved = unflattenSums(graph, before);
  // Nothing new to see where nothing was opened up.
  const after = lowered.length + moved === 0 ? before : await probeRun(graph, given);
  const simplified = simplify(graph, after);
  refuseControlFlow(graph, after);
  return { source, graph, probe: after, lowered: [...early, ...lowered], simplified };
}
