import { floatAttribute, type GraphNode } from '../graph/graph.ts';
import { float } from '../graph/graphBuilder.ts';
import { firstOutput, inputAt, type LoweringContext, outputAt } from './loweringContext.ts';

/**
 * com.microsoft EmbedLayerNormalization: embeddings of words, positions and segments, summed and normalised. Inputs: ids, segments, the three tables, scale, shift,
 * mask, position ids. Its second output, numbers of real tokens, is replaced by the mask itself, which attention takes as well.
 * @param rows the words' rows, where they were looked up already
 */
export function lowerEmbedLayerNormalization(node: GraphNode, context: LoweringContext, rows: string | null = null): void {
  const { builder, aliases } = context;
  const [ids = '', , words = '', positionTable = ''] = node.inputs;
  const [segments, segmentTable, positions] = [inputAt(node, 1), inputAt(node, 4), inputAt(node, 8)];
  let sum = rows ?? builder.node('Gather', [words, ids]); // [batch, tokens, width]
  sum = builder.add(
    sum,
    positions === null ? firstRows(context, positionTable, ids) : builder.node('Gather', [positionTable, positions]),
  );
  if (segments !== null && segmentTable !== null) sum = builder.add(sum, builder.node('Gather', [segmentTable, segments]));
  const embeddingSum = outputAt(node, 2);
  if (embeddingSum !== null) builder.node('Identity', [sum], {}, { output: embeddingSum });
  const attributes = { epsilon: float(floatAttribute(node, 'epsilon', 1e-12)), axis: -1 };
  builder.node('LayerNormalization', [sum, node.inputs[5] ?? '', node.inputs[6] ?? ''], attributes, {
    output: firstOutput(node),
  });
  const lengths = outputAt(node, 1);
  if (lengths !== null) aliases.set(lengths, inputAt(node, 7) ?? '');
}

function firstRows({ builder }: LoweringContext, table: string, ids: string): string {
  const tokens = builder.node('Gather', [builder.shape(ids), builder.ints(1)]); // [1]
  return builder.node('Slice', [table, builder.ints(0), tokens, builder.ints(0)]);
}
