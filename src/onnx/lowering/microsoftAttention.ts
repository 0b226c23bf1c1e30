/** Attention of com.microsoft with the projections of query, key and value in one matrix: of real numbers, and of 8-bit ones. */
import { elementTypes, floatAttribute, type GraphNode, intAttribute, intsAttribute } from '../graph/graph.ts';
import { attend, mergeHeads, splitHeads } from './attend.ts';
import { firstOutput, fixedSize, inputAt, type LoweringContext, unsupported } from './loweringContext.ts';
import { paddingBias, sumOf } from './paddingBias.ts';

/** Inputs: x [batch, tokens, width], weights [width, q + k + v], bias, mask, past, bias on the scores. */
export function lowerMicrosoftAttention(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const [x = '', weights = ''] = node.inputs;
  const product = builder.node('MatMul', [x, weights]);
  lowerJoined(node, context, { product, bias: inputAt(node, 2), mask: inputAt(node, 3), scoreBias: inputAt(node, 5) });
}

/**
 * QAttention. Inputs: x uint8 [batch, tokens, width], weights of 8 bits, bias, scale of x, scales of the weights (one, or one a column), mask, zero point of x, zero points of
 * the weights, past. The projection is a product of integers and a multiplication by both scales, as its kernel computes it.
 */
export function lowerQuantisedAttention(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const [x = '', weights = '', bias = '', scale = '', weightScale = ''] = node.inputs;
  const zeros = [inputAt(node, 6) ?? '', inputAt(node, 7) ?? ''];
  while (zeros.at(-1) === '') zeros.pop();
  const whole = builder.node('MatMulInteger', [x, weights, ...zeros]);
  const real = builder.node('Cast', [whole], { to: elementTypes.float32 });
  const product = builder.multiply(real, builder.multiply(scale, weightScale));
  lowerJoined(node, context, { product, bias, mask: inputAt(node, 5), scoreBias: null });
}

interface Joined {
  /** [batch, tokens, q + k + v] */
  readonly product: string;
  readonly bias: string | null;
  readonly mask: string | null;
  readonly scoreBias: string | null;
}

function lowerJoined(node: GraphNode, context: LoweringContext, { product, bias, mask, scoreBias }: Joined): void {
  const { builder } = context;
  const heads = intAttribute(node, 'num_heads', 0);
  if (heads < 1) throw unsupported(node, 'its number of heads is impossible');
  if (intAttribute(node, 'do_rotary', 0) === 1) throw unsupported(node, 'it rotates queries and keys');
  const [x = '', weights = ''] = node.inputs;
  const width = fixedSize(context, node, weights, 1);
  const sizes = intsAttribute(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const [hidden = 0, , valueHidden = 0] = sizes;
  const packed = bias === null ? product : builder.add(product, bias);
  const [q = '', k = '', v = ''] = builder.split(packed, 2, sizes);
  const headSize = hidden / heads;
  const padding = paddingBias(context, node, mask, x, floatAttribute(node, 'mask_filter_value', -10000));
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
      bias: sumOf(builder, padding, scoreBias),
      softcap: 0,
      causal: intAttribute(node, 'unidirectional', 0) === 1,
      window: 0,
    },
  );
  mergeHeads(builder, z, firstOutput(node));
}
