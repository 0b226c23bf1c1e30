/**
 * Patches as a rewrite of the graph: behind a tensor t stand selectors t' = mask ? value : t, and whoever read t reads t'. Masks and
 * values are inputs, so that one session serves every patch of the same kinds, and a mask of false leaves t as it was, bit for bit.
 */
import { elementTypes, type GraphNode, type GraphValue, type OnnxGraph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { type OnnxLayout, positionAxis } from './onnxSite.ts';

/** What a selector puts in: a given value, t + value, t · value, or the mean of t over all positions. */
export type StageKind = 'set' | 'add' | 'scale' | 'mean';

export interface StagedTensor {
  readonly tensor: string;
  readonly layout: OnnxLayout;
  /** In the order they apply. */
  readonly stages: readonly StageKind[];
}

const prefix = 'loupe/patch';

export function maskInput(tensor: string, stage: number): string {
  return `${prefix}/mask/${stage}/${tensor}`;
}

export function valueInput(tensor: string, stage: number): string {
  return `${prefix}/value/${stage}/${tensor}`;
}

/** A copy of the graph with selectors, and the name under which each staged tensor is read now. */
export function withStages(
  graph: OnnxGraph,
  staged: readonly StagedTensor[],
): { readonly graph: OnnxGraph; readonly renamed: ReadonlyMap<string, string> } {
  const copy: OnnxGraph = { ...graph, initializers: new Map(graph.initializers), opsets: new Map(graph.opsets) };
  const builder = new GraphBuilder(copy, prefix);
  const renamed = new Map<string, string>();
  const inputs: GraphValue[] = [];
  const selectors = new Map<string, GraphNode[]>();
  for (const { tensor, layout, stages } of staged) {
    const rank = layout === 'rows' || layout === 'joined-heads' ? 3 : 4;
    const begin = builder.nodes.length;
    let current = tensor;
    stages.forEach((kind, stage) => {
      inputs.push(openInput(maskInput(tensor, stage), elementTypes.bool, rank));
      if (kind !== 'mean') inputs.push(openInput(valueInput(tensor, stage), elementTypes.float32, rank));
      const value = stageValue(builder, kind, current, valueInput(tensor, stage), layout);
      current = builder.node('Where', [maskInput(tensor, stage), value, current]);
    });
    renamed.set(tensor, current);
    selectors.set(tensor, builder.nodes.slice(begin));
  }
  const rename = (name: string) => renamed.get(name) ?? name;
  copy.nodes = graph.nodes.flatMap((node) => [
    { ...node, inputs: node.inputs.map(rename) },
    ...node.outputs.flatMap((output) => selectors.get(output) ?? []),
  ]);
  copy.inputs = [...graph.inputs, ...inputs];
  return { graph: copy, renamed };
}

function stageValue(builder: GraphBuilder, kind: StageKind, tensor: string, value: string, layout: OnnxLayout): string {
  switch (kind) {
    case 'set':
      return value;
    case 'add':
      return builder.add(tensor, value);
    case 'scale':
      return builder.multiply(tensor, value);
    case 'mean':
      return builder.mean(tensor, [positionAxis(layout)]);
  }
}

/** Every axis open: a mask or a value may be whole, or 1 where it is the same along an axis. */
function openInput(name: string, type: number, rank: number): GraphValue {
  return { name, type, dims: Array.from({ length: rank }, (_, axis) => `${name}/${axis}`) };
}
