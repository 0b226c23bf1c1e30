import { elementTypes, floatAttribute, type GraphNode, intAttribute } from '../graph/graph.ts';
import { attend, maskedScore, mergeHeads, splitHeads } from './attend.ts';
import { firstOutput, fixedSize, inputAt, knownDims, type LoweringContext, once, unsupported } from './loweringContext.ts';

/**
 * ai.onnx Attention (opset 23): query, key, value as [batch, heads, tokens, size] or [batch, tokens, heads · size], and a mask that broadcasts to the scores: what may be seen
 * (bool) or a bias.
 */
export function lowerOnnxAttention(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const [query = '', key = '', value = ''] = node.inputs;
  const isSplit = (knownDims(context, query)?.length ?? 0) === 4;
  const heads = isSplit ? fixedSize(context, node, query, 1) : intAttribute(node, 'q_num_heads', 0);
  const kvHeads = isSplit ? fixedSize(context, node, key, 1) : intAttribute(node, 'kv_num_heads', heads);
  if (heads < 1 || kvHeads < 1 || heads % kvHeads !== 0) throw unsupported(node, 'its numbers of heads are impossible');
  if (inputAt(node, 6) !== null) throw unsupported(node, 'it is told lengths of padded keys');
  const headSize = fixedSize(context, node, query, -1) / (isSplit ? 1 : heads);
  const valueSize = fixedSize(context, node, value, -1) / (isSplit ? 1 : kvHeads);
  if (valueSize !== headSize && heads !== kvHeads)
    throw unsupported(node, 'values of grouped heads have another width than keys');
  const split = (x: string, count: number, size: number) => (isSplit ? x : splitHeads(builder, x, count, size));
  const z = attend(context, split(query, heads, headSize), split(key, kvHeads, headSize), split(value, kvHeads, valueSize), {
    heads,
    kvHeads,
    headSize,
    scale: floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(headSize),
    bias: biasOf(context, inputAt(node, 3)),
    softcap: floatAttribute(node, 'softcap', 0),
    causal: intAttribute(node, 'is_causal', 0) === 1,
    window: 0,
  });
  if (isSplit) builder.node('Identity', [z], {}, { output: firstOutput(node) });
  else mergeHeads(builder, z, firstOutput(node));
}

function biasOf(context: LoweringContext, mask: string | null): string | null {
  if (mask === null) return null;
  const { builder, probe, graph } = context;
  const type = graph.initializers.get(mask)?.type ?? probe?.facts(mask)?.type ?? elementTypes.bool;
  if (type !== elementTypes.bool) return mask;
  return once(context, `seen ${mask}`, () => builder.node('Where', [mask, builder.number(0), builder.number(maskedScore)]));
}
