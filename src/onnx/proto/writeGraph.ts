import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { GraphNode, GraphValue, OnnxGraph } from '../graph/graph.ts';
import { message, writeNode, writeTensor, writeValueInfo } from './encode.ts';
import { namesRead } from './linkGraph.ts';

/** First version in which a weight need not be an input, and attributes of all operators here exist. */
const lowestIrVersion = 8;

export interface WriteRequest {
  /** Instead of the graph's own: to fix dimensions, to leave out or to add inputs. */
  readonly inputs?: readonly GraphValue[];
  /** Tensors to compute, by name: any node's output. */
  readonly outputs: readonly string[];
  /** What is known of tensors between, beside what ONNX Runtime infers. */
  readonly known?: readonly GraphValue[];
  /** Nodes with the largest weights before those they depend on, for less memory at the peak of preparing a session. Default false. */
  readonly heaviestFirst?: boolean;
}

/**
 * The graph as bytes of an ONNX file, as far as the outputs need it: other nodes and constants are left out. Weights that stayed
 * in their file become external data there, so a session is to be created with the folder of the graph as that of its external files.
 */
export function writeGraph(graph: OnnxGraph, request: WriteRequest): Uint8Array {
  const { nodes, read } = neededFor(graph, request.outputs);
  const writer = new BinaryWriter();
  writer.tag(1, 0).int64(Math.max(graph.irVersion, lowestIrVersion));
  writer.tag(2, 2).string('prompt-loupe');
  for (const [domain, version] of graph.opsets) {
    message(writer, 8, (part) => {
      if (domain !== '') part.tag(1, 2).string(domain);
      part.tag(2, 0).int64(version);
    });
  }
  for (const bytes of graph.functions) writer.tag(25, 2).bytes(bytes);
  message(writer, 7, (part) => {
    const written = request.heaviestFirst === true ? heaviestFirst(graph, nodes) : nodes;
    for (const node of written) message(part, 1, (inner) => writeNode(inner, node));
    part.tag(2, 2).string('graph');
    for (const tensor of graph.initializers.values()) {
      if (read.has(tensor.name)) message(part, 5, (inner) => writeTensor(inner, tensor));
    }
    for (const input of request.inputs ?? graph.inputs) message(part, 11, (inner) => writeValueInfo(inner, input));
    // ONNX Runtime infers types and shapes; those of the file may be wrong after a rewrite.
    for (const name of request.outputs) message(part, 12, (inner) => writeValueInfo(inner, { name, type: 0, dims: null }));
    for (const value of request.known ?? []) if (read.has(value.name)) message(part, 13, (inner) => writeValueInfo(inner, value));
  });
  return writer.finish();
}

/** Weights of this size are packed before all others. */
const heavyBytes = 32 * 1024 * 1024;

/**
 * ONNX Runtime packs weights node by node in the order of the file, and maps those of a node into memory beside what is packed already. The
 * largest, of the unembedding, would come last, when memory is fullest. It sorts the nodes itself before it runs them.
 */
function heaviestFirst({ initializers }: OnnxGraph, nodes: readonly GraphNode[]): readonly GraphNode[] {
  const isHeavy = ({ inputs }: GraphNode) => inputs.some((name) => (initializers.get(name)?.range?.length ?? 0) >= heavyBytes);
  return [...nodes.filter(isHeavy), ...nodes.filter((node) => !isHeavy(node))];
}

function neededFor(graph: OnnxGraph, outputs: readonly string[]): { nodes: GraphNode[]; read: Set<string> } {
  const producers = new Map<string, GraphNode>();
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== '') producers.set(name, node);
  const read = new Set<string>();
  const needed = new Set<GraphNode>();
  const open = [...outputs];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (read.has(name)) continue;
    read.add(name);
    const producer = producers.get(name);
    if (producer === undefined || needed.has(producer)) continue;
    needed.add(producer);
    open.push(...namesRead(producer));
  }
  return { nodes: graph.nodes.filter((node) => needed.has(node)), read };
}
