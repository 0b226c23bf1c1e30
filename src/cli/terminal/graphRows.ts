import type { GraphSummary, OperatorCount } from '../../shared/graphSummary.ts';

/** How an ONNX graph was read, as rows of a name and a text. Names in it come from the file. */
export function graphRows(graph: GraphSummary): (readonly [string, string])[] {
  const { nodes, openedUp, writesAsItIs, hasHalfFloats, fixedBatch, withoutGradient, unrecognised } = graph;
  return [
    ['nodes', `${nodes.file} in the file, ${nodes.run} in the graph that is looked into`],
    ['opened up', openedUp.length === 0 ? 'nothing: no fused operator' : listed(openedUp)],
    ...(writesAsItIs ? [['writing text', 'runs the file as it is, with keys and values'] as const] : []),
    ...(hasHalfFloats ? [['16-bit floats', 'computed in 32 bits'] as const] : []),
    ...(fixedBatch === null ? [] : [['batch', batchText(fixedBatch)] as const]),
    ...(withoutGradient.length === 0
      ? [['gradients', 'every operator between embeddings and answer has a rule'] as const]
      : withoutGradient.map(({ operator, count, why, nodes: names }) => {
          const rest = count > names.length ? `, and ${count - names.length} more` : '';
          return ['no gradient', `${operator} × ${count}: ${why} (${names.join(', ')}${rest})`] as const;
        })),
    ['not recognised', unrecognised.length === 0 ? 'nothing' : listed(unrecognised)],
  ];
}

function listed(operators: readonly OperatorCount[]): string {
  return operators.map(({ operator, count }) => `${operator} × ${count}`).join(', ');
}

function batchText(rows: number): string {
  return rows === 1 ? 'one sequence, fixed' : `${rows} sequences, fixed: each is given the same tokens, the first is read`;
}
