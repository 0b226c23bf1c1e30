/** `model.unembed` on ONNX Runtime: the part of the graph behind the last block, with its input given. */
import type { UnembedRequest, UnembedResult } from '../../model/model.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { resolveCapture } from '../../model/runtime/resolveSite.ts';
import { unembedRows } from '../../model/runtime/unembedRows.ts';
import { outputKind } from '../../shared/answerErrors.ts';
import { elementTypes, type OnnxGraph } from '../graph/graph.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { createSession } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { floats, onlyInputs } from './forward.ts';
import { rowsInput, rowsValue } from './selectRows.ts';

const streamInput = 'loupe/stream';

/** @throws as `unembedRows`; E_SITE_UNKNOWN; E_OUTPUT_KIND for a model that predicts no tokens; E_ONNX_RUNTIME */
export async function unembed(
  evaluator: OnnxEvaluator,
  request: UnembedRequest,
  cancellation: Cancellation,
): Promise<UnembedResult[]> {
  const { info, sites, graph, logits } = evaluator;
  if (info.task !== undefined) throw outputKind('the unembedding', 'it predicts no tokens', 'load a language model');
  const { tensor } = resolveCapture({ site: { kind: 'resid_post', layer: info.layers - 1 } }, sites, info);
  const session = await evaluator.sessions.get('unembed', () => {
    const bytes = writeGraph(behind(graph, tensor, info.hidden), { outputs: [logits] });
    return createSession(bytes, graph.folder, evaluator.sessionOptions);
  });
  return await unembedRows(info, request, cancellation, async (rows, count) => {
    const given: Record<string, TensorValue> = {
      [streamInput]: { type: elementTypes.float32, dims: [1, count, info.hidden], data: rows.slice() },
      [rowsInput]: rowsValue(Array.from({ length: count }, (_, row) => row)),
    };
    return floats(await session.run(onlyInputs(given, session.inputs), [logits]), logits);
  });
}

/** The graph with a tensor as an input: what comes before it is left out when it is written. */
function behind(graph: OnnxGraph, tensor: string, width: number): OnnxGraph {
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === tensor ? streamInput : name)),
  }));
  const rows = graph.inputs.filter(({ name }) => name === rowsInput);
  return {
    ...graph,
    nodes,
    inputs: [{ name: streamInput, type: elementTypes.float32, dims: [1, 'loupe/count', width] }, ...rows],
  };
}
