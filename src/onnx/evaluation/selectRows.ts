import { elementTypes, type GraphNode, operatorKey, type OnnxGraph } from '../graph/graph.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';

/** Input [rows] int64: positions whose logits are computed. */
export const rowsInput = 'loupe/rows';

/** What that input is given. */
export function rowsValue(rows: readonly number[]): TensorValue {
  return { type: elementTypes.int64, dims: [rows.length], data: BigInt64Array.from(rows, BigInt) };
}

/** Operators that treat every position by itself; one that quantises activations over all of them would change with the choice. */
const rowWise = new Set([
  'MatMul',
  'com.microsoft:MatMulNBits',
  'com.microsoft:FusedMatMul',
  'Cast',
  'Identity',
  'Mul',
  'Div',
  'Add',
  'Tanh',
  'DequantizeLinear',
  'Transpose',
]);

/**
 * Computes logits of asked positions only: the unembedding of a small model is a fifth of its work, and a row of logits has the
 * size of the vocabulary. Returns the tensors that now hold those rows only, each with one that tells its other axes; changes nothing
 * and returns null where something between the last norm and the logits mixes positions.
 */
export function selectRows(graph: OnnxGraph, finalNorm: string, logits: string): ReadonlyMap<string, string> | null {
  const path = nodesBetween(graph, finalNorm, logits);
  if (path.length === 0 || !path.every((node) => rowWise.has(operatorKey(node)))) return null;
  const selected = 'loupe/selected_rows';
  const gather: GraphNode = {
    op: 'Gather',
    domain: '',
    name: '',
    inputs: [finalNorm, rowsInput],
    outputs: [selected],
    attributes: new Map([['axis', { kind: 'int', value: 1 }]]),
  };
  const onPath = new Set(path);
  let placed = false;
  graph.nodes = graph.nodes.flatMap((node) => {
    if (!onPath.has(node)) return [node];
    const rewired = { ...node, inputs: node.inputs.map((name) => (name === finalNorm ? selected : name)) };
    if (placed) return [rewired];
    placed = true;
    return [gather, rewired];
  });
  graph.inputs = [...graph.inputs, { name: rowsInput, type: elementTypes.int64, dims: [rowsInput] }];
  const alike = path.flatMap(({ outputs }) => outputs.map((output): [string, string] => [output, output]));
  return new Map([[selected, finalNorm], ...alike]);
}

/** Nodes on the way from one tensor to another, in order. */
function nodesBetween(graph: OnnxGraph, from: string, to: string): GraphNode[] {
  const reached = new Set([from]);
  const forward = graph.nodes.filter((node) => {
    if (!node.inputs.some((name) => reached.has(name))) return null;
    for (const output of node.outputs) reached.add(output);
    return true;
  });
  const wanted = new Set([to]);
  return forward
    .reverse()
    .filter((node) => {
      if (!node.outputs.some((name) => wanted.has(name))) return null;
      for (const input of node.inputs) if (reached.has(input)) wanted.add(input);
      return true;
    })
    .reverse();
}
