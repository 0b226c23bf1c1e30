import { elementTypes, type GraphNode, type OnnxGraph } from '../graph/graph.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import { type AttentionSites, attentionSites } from './attentionSites.ts';
import { DataFlow } from './dataFlow.ts';
import { expertsNote } from './experts.ts';
import { type Cut, findCuts } from './findCuts.ts';
import { findEmbedding } from './findEmbedding.ts';
import { findLayer, type ResidualSites } from './findLayer.ts';
import { findOutput, type ModelKind } from './findOutput.ts';
import { positionRows } from './positionRows.ts';
import { quantizationLabel } from './quantizationLabel.ts';

type RecognisedLayer = AttentionSites & ResidualSites;

/** What a graph is and where its sites are, by tensor name; null where there is none, with a note why. */
export interface Structure {
  readonly kind: ModelKind;
  readonly ids: string | null;
  /** [batch, tokens, hidden] */
  readonly embedding: string | null;
  /** Logits [batch, tokens, vocabulary], classes [batch, classes], or the vector or hidden states of a sentence encoder. */
  readonly output: string | null;
  readonly layers: readonly RecognisedLayer[];
  /** The normalised residual stream the output is computed from; null where layers end in a norm themselves. */
  readonly finalNorm: string | null;
  readonly hidden: number | null;
  readonly heads: number | null;
  readonly kvHeads: number | null;
  readonly headSize: number | null;
  readonly neurons: number | null;
  /** Tokens that learned positions are there for; null where positions are not looked up in a table. */
  readonly positions: number | null;
  readonly vocabulary: number | null;
  readonly quantization: string;
  readonly notes: readonly string[];
}

/**
 * Finds the parts of a transformer by the flow of data, not by names: residual streams are the cut tensors between embedding and output, attention is where a softmax runs over keys.
 * @param graph prepared by `prepareGraph`
 */
export function recognise(graph: OnnxGraph, probe: Probe): Structure {
  const notes: string[] = [];
  const flow = new DataFlow(graph);
  const quantization = quantizationLabel(graph);
  const experts = expertsNote(graph);
  const nothing = {
    ...{ layers: [], finalNorm: null, hidden: null, heads: null, kvHeads: null, headSize: null, neurons: null, positions: null },
  };
  const embedding = findEmbedding(flow, probe);
  if (embedding === null) {
    notes.push('no embedding: no float tensor is indexed by token ids');
    return { kind: 'unknown', ids: null, embedding: null, output: null, vocabulary: null, quantization, notes, ...nothing };
  }
  const { ids, tensor, vocabulary: rows } = embedding;
  const after = flow.after(tensor);
  const attention = graph.nodes.flatMap((node, position) => (isAttention(node, probe, after) ? [{ node, position }] : []));
  const hidden = streamWidth(flow, probe, tensor, after, attention[0]?.position ?? -1);
  const { kind, output, note } = findOutput(graph, probe, after, hidden, rows);
  if (note !== null) notes.push(note);
  if (output === null) return { kind, ids, embedding: tensor, output, vocabulary: rows, quantization, notes, ...nothing, hidden };

  const before = flow.before(output);
  const inside = new Set([...after].filter((name) => before.has(name)));
  const cuts = findCuts(flow, probe, tensor, inside, hidden);
  const softmaxes = attention.filter(({ node }) => inside.has(node.outputs[0] ?? ''));
  if (softmaxes.length === 0) notes.push('no attention: no softmax runs over pairs of tokens');
  const isPostNorm = normalisesBehind(cuts, softmaxes, flow);
  const layers = softmaxes.map(({ node, position }, i) => {
    const next = softmaxes[i + 1]?.position ?? Infinity;
    const sites = attentionSites(flow, probe, node, inside);
    const place = { flow, probe, inside, cuts, softmax: position, next, isPostNorm, probabilities: sites.probabilities };
    const layer = { ...sites, ...findLayer(place) };
    const missing = Object.entries(layer).flatMap(([site, found]) => (found === null ? [site] : []));
    if (missing.length > 0) notes.push(`layer ${i}: not found: ${missing.join(', ')}`);
    return layer;
  });
  if (experts !== null) notes.push(experts);
  const [first] = layers;
  const last = cuts.at(-1)?.tensor ?? null;
  const size = (name: string | null | undefined, axis: number) =>
    name === null || name === undefined ? null : (probe.facts(name)?.dims[0].at(axis) ?? null);
  return {
    kind,
    ids,
    embedding: tensor,
    output,
    layers,
    finalNorm: isPostNorm || last === layers.at(-1)?.residPost ? null : last,
    hidden,
    heads: size(first?.probabilities, 1),
    kvHeads: size(first?.k?.tensor, first?.k?.layout === 'token, head, size' ? 2 : 1),
    headSize: size(first?.z?.tensor, -1),
    neurons: size(first?.mlpPost, -1),
    positions: hidden === null ? null : positionRows(flow, probe, tensor, hidden),
    vocabulary: kind === 'causal-lm' ? size(output, -1) : rows,
    quantization,
    notes,
  };
}

/** Width of what enters the first attention: some families (ELECTRA, ALBERT) embed tokens in fewer numbers and widen them. */
function streamWidth(
  flow: DataFlow,
  probe: Probe,
  embedding: string,
  after: ReadonlySet<string>,
  attention: number,
): number | null {
  const ends = flow.graph.outputs.map(({ name }) => flow.before(name));
  const inside = new Set([...after].filter((name) => ends.some((before) => before.has(name))));
  const stream = findCuts(flow, probe, embedding, inside, null).findLast(({ position }) => position < attention);
  return probe.facts(stream?.tensor ?? embedding)?.dims[0].at(-1) ?? null;
}

function isAttention(node: GraphNode, probe: Probe, inside: ReadonlySet<string>): boolean {
  const [output = ''] = node.outputs;
  if (node.op !== 'Softmax' || !inside.has(output)) return false;
  const facts = probe.facts(output);
  return facts?.type === elementTypes.float32 && facts.dims[0].length === 4 && overPairs(facts, probe);
}

/** One more key for a sink may stand beside those of the tokens. */
function overPairs({ dims }: TensorFacts, { lengths }: Probe): boolean {
  return dims.every((shape, run) => {
    const tokens = lengths[run] ?? 0;
    return shape[2] === tokens && (shape[3] === tokens || shape[3] === tokens + 1);
  });
}

/** Whether layers end in a norm (BERT) instead of beginning with one: what enters the second layer is no sum. */
function normalisesBehind(cuts: readonly Cut[], softmaxes: readonly { readonly position: number }[], flow: DataFlow): boolean {
  const [first, second] = softmaxes;
  if (first === undefined) return false;
  if (second !== undefined) return cuts.findLast(({ position }) => position < second.position)?.isSum === false;
  const enters = cuts.findLast(({ position }) => position < first.position)?.tensor ?? '';
  return flow.readers(enters).some(({ op }) => ['MatMul', 'MatMulNBits', 'Gemm', 'DynamicQuantizeLinear'].includes(op));
}
