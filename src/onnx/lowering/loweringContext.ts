import { onnxUnsupported } from '../../shared/onnxErrors.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import { type GraphNode, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';

/** What a rule of lowering knows beside its node. */
export interface LoweringContext {
  readonly graph: OnnxGraph;
  readonly builder: GraphBuilder;
  readonly probe: Probe | null;
  /** Tensors that stand for others in nodes that follow. */
  readonly aliases: Map<string, string>;
  /** Nodes every layer would make again: slices of the rotary tables, masks. */
  readonly shared: Map<string, string>;
}

/** Writes primitive operators for a fused one: its outputs keep their names. */
export type LoweringRule = (node: GraphNode, context: LoweringContext) => void;

/** Size of a tensor along an axis, where it does not depend on the prompt. @throws E_ONNX_UNSUPPORTED when it cannot be known */
export function fixedSize(context: LoweringContext, node: GraphNode, tensor: string, axis: number): number {
  const size = knownDims(context, tensor)?.at(axis);
  if (size === undefined || size === 0) throw unsupported(node, `the size of ${JSON.stringify(tensor)} cannot be known`);
  return size;
}

export function knownDims({ graph, probe }: LoweringContext, tensor: string): readonly number[] | null {
  return graph.initializers.get(tensor)?.dims ?? probe?.facts(tensor)?.dims[0] ?? null;
}

export function unsupported(node: GraphNode, why: string): Error {
  const name = node.name === '' ? (node.outputs[0] ?? '') : node.name;
  return onnxUnsupported('the model', `${operatorKey(node)} ${JSON.stringify(name.slice(0, 100))} cannot be opened up: ${why}`);
}

/** Makes a tensor once for all nodes that ask for it under this key. */
export function once({ shared }: LoweringContext, key: string, make: () => string): string {
  const known = shared.get(key);
  if (known !== undefined) return known;
  const made = make();
  shared.set(key, made);
  return made;
}

export function inputAt(node: GraphNode, index: number): string | null {
  const name = node.inputs[index];
  return name === undefined || name === '' ? null : name;
}

export function outputAt(node: GraphNode, index: number): string | null {
  const name = node.outputs[index];
  return name === undefined || name === '' ? null : name;
}

/** The first output, which every operator here has. */
export function firstOutput(node: GraphNode): string {
  const output = outputAt(node, 0);
  if (output === null) throw unsupported(node, 'it has no output');
  return output;
}
