import { type GraphNode, elementTypes, type OnnxGraph } from '../graph/graph.ts';
import { LoupeError } from '../../shared/errors.ts';
import { sharedLength } from '../../model/prefixOrder.ts';
import { subGraphs } from '../proto/linkGraph.ts';
import { type FeedOptions, inputRole } from '../runtime/feeds.ts';
import { probeGraph } from '../runtime/probeGraph.ts';
import { createSession } from '../runtime/session.ts';
import type { TensorData } from '../runtime/tensorValue.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import type { KeyValueGraph } from './keyValueGraph.ts';
import { keptBeginning, keyValueRun, type KeyValueRequest, type KeyValueResult } from './keyValueRun.ts';

export interface ProofOptions extends FeedOptions {
  readonly threads: number;
}

/** A graph of more nodes is tried up to the keys and values of its third layer: to prepare all of it takes as long as the model itself. */
const mostNodes = 1000;
const triedLayers = 3;

/**
 * Whether tokens read behind the kept beginning of another sequence get the logits they get in a whole pass. By structure: 32-bit keys and
 * values, no rounding that depends on the other tokens, no branch but that of a merged decoder. And by trial: the file's own graph is
 * run both ways, with scaled copies in place of products with stored matrices, which treat every row by itself; so no weight is read but rows
 * of the embedding, and every operator that could mix positions is the file's.
 * @throws what is no failure of the graph itself, as E_ONNX_RUNTIME_MISSING
 */
export async function provesSharing(model: KeyValueGraph, { threads, ...feedOptions }: ProofOptions): Promise<boolean> {
  if (!mayShare(model.graph)) return false;
  const isWhole = model.graph.nodes.length <= mostNodes;
  const names = isWhole ? model.names : model.names.filter(({ layer }) => layer < triedLayers);
  const light = { ...model, names, graph: probeGraph(model.graph, 'copies') };
  const outputs = [...(isWhole ? [model.logits] : []), ...names.map(({ present }) => present)];
  try {
    const session = await createSession(writeGraph(light.graph, { outputs }), light.graph.folder, {
      threads,
      optimisation: 'disabled',
      prepacking: false,
    });
    try {
      const run = (request: KeyValueRequest) =>
        keyValueRun(light, session, feedOptions, isWhole ? request : { ...request, rows: [] });
      return await givesTheSame(run);
    } finally {
      await session.release();
    }
  } catch (error) {
    if (error instanceof LoupeError && (error.code === 'E_ONNX_RUNTIME' || error.code === 'E_ONNX_UNSUPPORTED')) return false;
    throw error;
  }
}

function mayShare({ inputs, nodes }: OnnxGraph): boolean {
  const past = inputs.filter((input) => inputRole(input) === 'past');
  const branches = new Set(inputs.filter((input) => inputRole(input) === 'useCache').map(({ name }) => name));
  return past.every(isFloats) && allNodes(nodes).every((node) => isHarmless(node, branches));
}

function isFloats({ type, dims }: OnnxGraph['inputs'][number]): boolean {
  return type === elementTypes.float32 && dims?.length === 4 && (typeof dims[0] === 'string' || dims[0] === 1);
}

/** A rounding of activations may go by all tokens at once; a branch or a loop may go by how many tokens there are. */
function isHarmless({ op, inputs: [condition = ''] }: GraphNode, branches: ReadonlySet<string>): boolean {
  if (/^DynamicQuant|^QAttention$|^Loop$|^Scan$/.test(op)) return false;
  return op !== 'If' || branches.has(condition);
}

function allNodes(nodes: readonly GraphNode[]): GraphNode[] {
  return nodes.flatMap((node) => [node, ...subGraphs(node).flatMap((inner) => allNodes(inner.nodes))]);
}

const sequence = Int32Array.of(11, 12, 13, 14, 15, 16, 17);
const other = Int32Array.of(11, 12, 13, 14, 4, 9, 8, 3, 7);
/** Of the largest number of a row of logits, or of the keys or values of a layer. */
const tolerance = 1e-5;

/** Logits of the last tokens of a sequence, and keys and values of all, in a whole pass and behind the beginning of a longer one. */
export async function givesTheSame(run: (request: KeyValueRequest) => Promise<KeyValueResult>): Promise<boolean> {
  const split = sharedLength(sequence, other);
  const behind = Array.from({ length: sequence.length - split }, (_, place) => place);
  const whole = await run({ tokens: sequence, before: null, rows: behind.map((place) => split + place), keep: true });
  const { kept } = await run({ tokens: other, before: null, rows: [], keep: true });
  if (kept === null) return false;
  const rest = await run({ tokens: sequence.subarray(split), before: keptBeginning(kept, split), rows: behind, keep: true });
  const [expected, found] = [whole, rest].map(({ rows, kept: all }) => [
    ...rows,
    ...Object.values(all?.values ?? {}).map(({ data }) => data),
  ]);
  return expected?.every((values, place) => isNear(found?.[place], values)) ?? false;
}

function isNear(found: TensorData | undefined, expected: TensorData): boolean {
  if (!(found instanceof Float32Array) || !(expected instanceof Float32Array) || found.length !== expected.length) return false;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return found.every((value, place) => Math.abs(value - (expected[place] as number)) <= tolerance * largest);
}
