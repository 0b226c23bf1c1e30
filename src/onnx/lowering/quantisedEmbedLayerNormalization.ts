import { type GraphNode } from '../graph/graph.ts';
import { lowerEmbedLayerNormalization } from './embedLayerNormalization.ts';
import { inputAt, type LoweringContext } from './loweringContext.ts';

/** Where the tables, scale and shift of the norm are in QEmbedLayerNormalization, and where EmbedLayerNormalization takes them; their scales follow the mask, then their zero points. */
const tables = [2, 3, 4, 5, 6] as const;
const [firstScale, firstZero] = [8, 13];

/**
 * com.microsoft QEmbedLayerNormalization: the same from 8-bit tables with one scale and zero point each. Rows are looked up in the stored tables, so that no table is unpacked; the second output is
 * the mask, as there.
 */
export function lowerQuantisedEmbedLayerNormalization(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const [ids = ''] = node.inputs;
  const real = (tensor: string, place: number) => {
    const scale = node.inputs[firstScale + place] ?? '';
    const zero = inputAt(node, firstZero + place);
    return builder.node('DequantizeLinear', zero === null ? [tensor, scale] : [tensor, scale, zero]);
  };
  const [, ...others] = tables.map((index, place) => {
    const stored = place === 0 ? null : inputAt(node, index);
    return stored === null ? '' : real(stored, place);
  });
  const inputs = [ids, inputAt(node, 1) ?? '', '', ...others, inputAt(node, 7) ?? ''];
  lowerEmbedLayerNormalization({ ...node, inputs }, context, real(builder.node('Gather', [node.inputs[2] ?? '', ids]), 0));
}
