/** Finds the parts of a transformer in an ONNX graph by how data flows, whatever its exporter called them. */
import { onnxUnsupported } from '../../shared/onnxErrors.ts';
import type { OnnxGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { DataFlow } from './dataFlow.ts';
import { type AttentionParts, findAttention } from './findAttention.ts';
import { type Block, findBlocks } from './findBlocks.ts';
import { type Ends, findEnds } from './findEnds.ts';
import { findNeurons } from './findNeurons.ts';
import { quantizationLabel } from './quantizationLabel.ts';

export interface StructureLayer extends AttentionParts, Omit<Block, 'softmax'> {
  /** [1, T, F] */
  readonly mlpPost: string | null;
}

export interface Structure extends Ends {
  /** Outermost first; empty: no attention was found. */
  readonly layers: readonly StructureLayer[];
  /** [1, T, D] what enters block 0. */
  readonly embedding: string;
  readonly finalNorm: string | null;
  readonly heads: number | null;
  readonly kvHeads: number | null;
  readonly headSize: number | null;
  readonly neurons: number | null;
  readonly quantization: string;
  /** What was not found, for `models inspect`. */
  readonly notes: readonly string[];
}

/**
 * @param graph opened up and simplified
 * @param probe of that graph
 * @throws E_ONNX_UNSUPPORTED when it reads no token ids, or nothing comes of them
 */
export function recognise(graph: OnnxGraph, probe: Probe): Structure {
  const flow = new DataFlow(graph);
  const ends = findEnds(flow, probe);
  if (ends === null) throw onnxUnsupported('the model', 'no lookup of token ids was found from which an answer is computed');
  const { blocks, finalNorm } = findBlocks(flow, probe, ends.lookup, ends.output, ends.hidden);
  let neurons: number | null = null;
  const layers = blocks.map((block): StructureLayer => {
    const found = block.mlpOut === null ? null : findNeurons(flow, probe, block.mlpOut, block.residMid ?? block.residPre);
    neurons ??= found?.neurons ?? null;
    const { softmax, ...places } = block;
    return { ...places, ...findAttention(flow, probe, softmax, block.pattern), mlpPost: found?.tensor ?? null };
  });
  const [first] = layers;
  return {
    ...ends,
    layers,
    embedding: first?.residPre ?? ends.lookup,
    finalNorm,
    heads: first?.z?.heads ?? null,
    kvHeads: first?.k?.heads ?? null,
    headSize: first?.z?.size ?? null,
    neurons,
    quantization: quantizationLabel(graph),
    notes: layers.length === 0 ? ['No attention was found in this graph: only what needs forward passes can be done.'] : [],
  };
}
