/** Weights a backward pass unpacks from 4 or 8 bits: computed at every run, unless they are kept and given to it. */
import { elementTypes, type OnnxGraph } from '../graph/graph.ts';

/** ONNX Runtime does not fold this operator when it makes a session. */
const unpacking = 'GatherBlockQuantized';

/**
 * Tensors that hold unpacked weights, ready to be multiplied: they depend on no input. A session with these as its outputs and no
 * inputs computes them once. [N, K] float32 each, 8 or 4 times the size of the packed weight.
 */
export function unpackedWeights(graph: OnnxGraph): string[] {
  const constant = new Set(['', ...graph.initializers.keys()]);
  const unpacked = new Set<string>();
  const read = new Set<string>();
  for (const { op, inputs, outputs } of graph.nodes) {
    if (!inputs.every((input) => constant.has(input))) {
      for (const input of inputs) read.add(input);
      continue;
    }
    const carries = op === unpacking || inputs.some((input) => unpacked.has(input));
    for (const output of outputs) {
      constant.add(output);
      if (carries) unpacked.add(output);
    }
  }
  return [...unpacked].filter((tensor) => read.has(tensor));
}

/** The graph with these tensors as inputs instead: their values are given to each run, and nothing is unpacked. */
export function withGivenWeights(graph: OnnxGraph, weights: readonly string[]): OnnxGraph {
  const given = new Set(weights);
  const inputs = weights.map((name) => ({ name, type: elementTypes.float32, dims: null }));
  return {
    ...graph,
    nodes: graph.nodes.filter(({ outputs }) => !outputs.some((output) => given.has(output))),
    inputs: [...graph.inputs, ...inputs],
  };
}
