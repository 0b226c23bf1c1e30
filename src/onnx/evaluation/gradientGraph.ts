/** The forward graph with its backward graph behind it, for one prompt length, as a session. */
import type { GradientRules } from '../../model/gradient.ts';
import { elementTypes, type GraphValue, type OnnxGraph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import { staticProbe } from '../graph/staticProbe.ts';
import { differentiate } from '../gradient/differentiate.ts';
import { secondRun } from '../gradient/secondRun.ts';
import { type OnnxSite, tensorDims } from '../sites/onnxSite.ts';
import { withStages } from '../sites/patchStages.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { rowsInput } from './selectRows.ts';

export const seedInput = 'loupe/seed';
export const shareInput = 'loupe/share';
export const cotangentInput = 'loupe/cotangent';
/** What enters the first block in the second run, of the rules `rescale`. */
export const referenceInput = 'loupe/reference';

export interface GradientGraphRequest {
  /** Tokens, fillers included. */
  readonly length: number;
  /** Rows of logits the target reads; 0 for a cotangent. */
  readonly rows: number;
  /** Where the cotangent is given, or null. */
  readonly cotangent: OnnxSite | null;
  readonly at: readonly OnnxSite[];
  readonly capture: readonly OnnxSite[];
  /** Input embeddings are given. */
  readonly embeddings: boolean;
  readonly rules: GradientRules;
}

export interface GradientGraph {
  readonly graph: OnnxGraph;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly string[];
  /** Tensor of the evaluator's graph → the name of its value in this one. */
  readonly values: ReadonlyMap<string, string>;
  /** Tensor of the evaluator's graph → the name of its gradient; absent: the target does not depend on it. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Bytes of activations and gradients, if nothing were freed before the end. */
  readonly activationBytes: number;
}

/** @throws E_GRADIENT_UNSUPPORTED */
export function gradientGraph(
  evaluator: OnnxEvaluator,
  embed: OnnxSite,
  request: GradientGraphRequest,
  inputs: (graph: OnnxGraph) => readonly GraphValue[],
): GradientGraph {
  const { length, rows, cotangent, at, capture, rules } = request;
  const stages = request.embeddings ? [{ tensor: embed.tensor, layout: embed.layout, stages: ['set' as const] }] : [];
  const { graph, renamed } = withStages(evaluator.graph, stages);
  const now = (tensor: string) => renamed.get(tensor) ?? tensor;
  const probe = probeAt(evaluator, length, rows, renamed);
  const builder = new GraphBuilder(graph, 'loupe/gradient');
  const seeds = new Map<string, string>();
  const given: GraphValue[] = [];
  if (cotangent !== null) {
    given.push({ name: cotangentInput, type: elementTypes.float32, dims: tensorDims(cotangent, length, evaluator.sequences) });
    seeds.set(now(cotangent.tensor), cotangentInput);
  } else {
    seeds.set(now(evaluator.logits), logitSeed(builder, now(evaluator.logits), given, evaluator, rows));
  }
  const root = now(embed.tensor);
  const second = rules === 'rescale' ? secondRun(graph, root, referenceInput) : null;
  if (second !== null)
    given.push({ name: referenceInput, type: elementTypes.float32, dims: tensorDims(embed, length, evaluator.sequences) });
  const found = differentiate(graph, probe, builder, {
    seeds,
    roots: [root],
    wanted: [...new Set(at.map(({ tensor }) => now(tensor)))],
    rules,
    ...(second === null ? {} : { reference: second.tensor }),
  });
  graph.nodes.push(...(second?.nodes ?? []), ...builder.nodes);
  graph.inputs.push(...given);
  const gradients = new Map(
    at.flatMap(({ tensor }) => (found.has(now(tensor)) ? [[tensor, found.get(now(tensor)) as string] as const] : [])),
  );
  const captured = capture.map(({ tensor }) => [tensor, now(tensor)] as const);
  const values = new Map(cotangent === null ? [...captured, [evaluator.logits, now(evaluator.logits)] as const] : captured);
  const outputs = [...new Set([...values.values(), ...gradients.values()])];
  return {
    graph,
    inputs: inputs(graph),
    outputs,
    values,
    gradients,
    activationBytes: activationBytes(evaluator.graph, probe) * (second === null ? 1 : 2),
  };
}

/** direct − share · softmax(logits): [B, rows, V], or [B, W] of a model that answers with one row */
function logitSeed(builder: GraphBuilder, logits: string, given: GraphValue[], evaluator: OnnxEvaluator, rows: number): string {
  const rank = evaluator.info.task === undefined ? [evaluator.sequences, rows] : [evaluator.sequences];
  const width = evaluator.width;
  given.push({ name: seedInput, type: elementTypes.float32, dims: [...rank, width] });
  given.push({ name: shareInput, type: elementTypes.float32, dims: [...rank, 1] });
  const probabilities = builder.node('Softmax', [logits], { axis: -1 });
  return builder.subtract(seedInput, builder.multiply(shareInput, probabilities));
}

function probeAt(evaluator: OnnxEvaluator, length: number, rows: number, renamed: ReadonlyMap<string, string>): Probe {
  const plain = staticProbe(evaluator.probe, length);
  const others = new Map<string, TensorFacts>();
  for (const [tensor, name] of renamed) {
    const facts = plain.facts(tensor);
    if (facts !== undefined) others.set(name, facts);
  }
  others.set(rowsInput, { type: elementTypes.int64, dims: [[rows], [rows]], values: null });
  for (const [tensor, source] of evaluator.rowTensors) {
    const facts = plain.facts(source);
    if (facts === undefined) continue;
    const dims = facts.dims[0].map((size, axis) => (axis === 1 ? rows : size));
    others.set(tensor, { ...facts, dims: [dims, dims] });
  }
  return staticProbe(evaluator.probe, length, others);
}

const floatBytes = 4;

/** What a backward pass reads of the forward pass, at most: every float tensor of it. */
function activationBytes(graph: OnnxGraph, probe: Probe): number {
  let bytes = 0;
  for (const { outputs } of graph.nodes) {
    for (const output of outputs) {
      const facts = probe.facts(output);
      if (facts?.type !== elementTypes.float32) continue;
      bytes += facts.dims[0].reduce((product, size) => product * size, floatBytes);
    }
  }
  return bytes;
}
