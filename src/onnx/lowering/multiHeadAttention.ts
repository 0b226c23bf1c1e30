import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.ts';
import { attend, mergeHeads, splitHeads } from './attend.ts';
import { firstOutput, fixedSize, inputAt, knownDims, type LoweringContext, unsupported } from './loweringContext.ts';
import { paddingBias, sumOf } from './paddingBias.ts';

/**
 * com.microsoft MultiHeadAttention. Inputs: query, key, value, bias [hidden · 2 + value width], key padding mask, attention bias. Keys and values may be packed into the
 * query [batch, tokens, heads, 3, size], or the values into the key [batch, tokens, heads, 2, size]; keys of cross attention come split into heads.
 */
export function lowerMultiHeadAttention(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const heads = intAttribute(node, 'num_heads', 0);
  if (heads < 1) throw unsupported(node, 'its number of heads is impossible');
  let [q = '', k, v] = [inputAt(node, 0) ?? '', inputAt(node, 1), inputAt(node, 2)];
  const rank = knownDims(context, q)?.length ?? 3;
  const headSize = rank === 5 ? fixedSize(context, node, q, 4) : fixedSize(context, node, q, 2) / heads;
  const bias = inputAt(node, 3);
  if (rank === 5) {
    const [a, b, c] = builder.split(q, 3, [1, 1, 1]).map((part) => builder.reshape(part, [0, 0, heads * headSize]));
    [q, k, v] = [a ?? '', b ?? null, c ?? null];
  }
  if (k === null) throw unsupported(node, 'it has no keys');
  if (v === null) {
    const [a, b] = builder.split(k, 3, [1, 1]).map((part) => builder.reshape(part, [0, 0, heads * headSize]));
    [k, v] = [a ?? '', b ?? ''];
  }
  // Keys that come split already carry their bias.
  const isSplit = (knownDims(context, k)?.length ?? 3) === 4;
  const valueSize = isSplit ? fixedSize(context, node, v, 3) : rank === 5 ? headSize : widthOf(context, node, v, heads, headSize);
  if (bias !== null) {
    const hidden = heads * headSize;
    const [qBias = '', kBias = '', vBias = ''] = builder.split(bias, 0, [hidden, hidden, heads * valueSize]);
    q = builder.add(q, qBias);
    if (!isSplit) [k, v] = [builder.add(k, kBias), builder.add(v, vBias)];
  }
  const masked = floatAttribute(node, 'mask_filter_value', -10000);
  const key = isSplit ? k : splitHeads(builder, k, heads, headSize);
  const padding = paddingBias(context, node, inputAt(node, 4), q, masked);
  const z = attend(
    context,
    splitHeads(builder, q, heads, headSize),
    key,
    isSplit ? v : splitHeads(builder, v, heads, valueSize),
    {
      heads,
      kvHeads: heads,
      headSize,
      scale: floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(headSize),
      bias: sumOf(builder, padding, inputAt(node, 5)),
      softcap: 0,
      causal: intAttribute(node, 'unidirectional', 0) === 1,
      window: 0,
    },
  );
  mergeHeads(builder, z, firstOutput(node));
}

function widthOf(context: LoweringContext, node: GraphNode, value: string, heads: number, headSize: number): number {
  return knownDims(context, value) === null ? headSize : fixedSize(context, node, value, 2) / heads;
}
