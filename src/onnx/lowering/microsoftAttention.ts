import { floatAttribute, type GraphNode, intAttribute, intsAttribute } from '../graph/graph.ts';
import { attend, mergeHeads, splitHeads } from './attend.ts';
import { firstOutput, fixedSize, inputAt, type LoweringContext, unsupported } from './loweringContext.ts';
import { paddingBias, sumOf } from './paddingBias.ts';

/**
 * com.microsoft Attention: the projections of query, key and value in one matrix, then attention. Inputs: x [batch, tokens, width], weights [width, q + k + v],
 * bias, mask, past, bias on the scores.
 */
export function lowerMicrosoftAttention(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const heads = intAttribute(node, 'num_heads', 0);
  if (heads < 1) throw unsupported(node, 'its number of heads is impossible');
  if (intAttribute(node, 'do_rotary', 0) === 1) throw unsupported(node, 'it rotates queries and keys');
  const [x = '', weights = ''] = node.inputs;
  const width = fixedSize(context, node, weights, 1);
  const sizes = intsAttribute(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const [hidden = 0, , valueHidden = 0] = sizes;
  const bias = inputAt(node, 2);
  let packed = builder.node('MatMul', [x, weights]);
  if (bias !== null) packed = builder.add(packed, bias);
  const [q = '', k = '', v = ''] = builder.split(packed, 2, sizes);
  const headSize = hidden / heads;
  const padding = paddingBias(context, node, inputAt(node, 3), x, floatAttribute(node, 'mask_filter_value', -10000));
  const z = attend(
    context,
    splitHeads(builder, q, heads, headSize),
    splitHeads(builder, k, heads, headSize),
    splitHeads(builder, v, heads, valueHidden / heads),
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
