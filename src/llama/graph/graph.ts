/** The computation graph of one forward pass, as llama.cpp lays it out. It is the same for every prompt of a model. */
import type { LlamaContext } from '../evaluation/context.ts';
import { operatorNames } from '../native/guard.ts';
import type { NativeFunctions, Pointer } from '../native/functions.ts';
import { readTensorHeader } from './tensorHeader.ts';

export interface GraphNode {
  /** Order of computation. */
  readonly index: number;
  readonly name: string;
  /** `MUL_MAT`, `SOFT_MAX`, … */
  readonly operator: string;
  readonly type: number;
  readonly ne: readonly [number, number, number, number];
  /** Operator parameters as floats; the first of a SOFT_MAX is the factor before it. */
  readonly parameters: readonly number[];
  /** Operands; null = no node (a weight or an input). */
  readonly sources: readonly (GraphNode | null)[];
}

/** Tokens of the surveyed prompt: two, of which one is read, so that tensors that hold only the read rows stand out. */
export const surveyedTokens = 2;

/** Lists the nodes of the graph without computing them. */
export function surveyGraph(context: LlamaContext, functions: NativeFunctions): GraphNode[] {
  const operators = operatorNames(functions);
  const nodes: GraphNode[] = [];
  const byAddress = new Map<Pointer, GraphNode>();
  context.survey(new Int32Array(surveyedTokens), {
    wants(index, tensor) {
      const { name, operator, operatorParameters, type, ne, sources } = readTensorHeader(tensor);
      const node = {
        index,
        name,
        operator: operators[operator] ?? '?',
        type,
        ne,
        parameters: [operatorParameters.getFloat32(0, true), operatorParameters.getFloat32(4, true)],
        sources: sources.map((address) => byAddress.get(address) ?? null),
      };
      nodes.push(node);
      byAddress.set(tensor, node);
      return false;
    },
    ready: () => undefined,
  });
  return nodes;
}
