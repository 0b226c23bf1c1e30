import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.ts';
import { attend, mergeHeads, splitHeads } from './attend.ts';
import { firstOutput, fixedSize, inputAt, knownDims, type LoweringContext, unsupported } from './loweringContext.ts';
import { rotate, tableRows } from './rotate.ts';

/**
 * com.microsoft GroupQueryAttention: grouped heads, rotary positions, a local window, softcap and sinks in one node. Inputs: query (or all three packed), key,
 * value, past key and value, lengths, tables of cosines and sines (7, 8), position ids (9), bias (10), sinks (11).
 */
export function lowerGroupQueryAttention(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const heads = intAttribute(node, 'num_heads', 0);
  const kvHeads = intAttribute(node, 'kv_num_heads', 0);
  if (heads < 1 || kvHeads < 1 || heads % kvHeads !== 0) throw unsupported(node, 'its numbers of heads are impossible');
  if (inputAt(node, 12) !== null || inputAt(node, 13) !== null) throw unsupported(node, 'its cache is quantised');
  const [query = '', key = ''] = node.inputs;
  const isPacked = inputAt(node, 1) === null;
  const headSize = fixedSize(context, node, query, -1) / (isPacked ? heads + 2 * kvHeads : heads);
  if (!Number.isInteger(headSize)) throw unsupported(node, 'the width of its input does not divide into heads');
  const parts = isPacked
    ? builder.split(query, -1, [heads * headSize, kvHeads * headSize, kvHeads * headSize])
    : [query, key, inputAt(node, 2) ?? ''];
  let [q = '', k = '', v = ''] = parts;
  q = splitHeads(builder, q, heads, headSize);
  k = splitHeads(builder, k, kvHeads, headSize);
  v = splitHeads(builder, v, kvHeads, headSize);
  if (intAttribute(node, 'do_rotary', 0) === 1) {
    const [cosTable, sinTable] = [inputAt(node, 7), inputAt(node, 8)];
    if (cosTable === null || sinTable === null) throw unsupported(node, 'it has no rotary tables');
    const cos = tableRows(context, cosTable, inputAt(node, 9), q, 1);
    const sin = tableRows(context, sinTable, inputAt(node, 9), q, 1);
    const rotated = 2 * (knownDims(context, cosTable)?.[1] ?? headSize / 2);
    const form = { headSize, rotated, interleaved: intAttribute(node, 'rotary_interleaved', 0) === 1 };
    q = rotate(builder, q, cos, sin, form);
    k = rotate(builder, k, cos, sin, form);
  }
  const z = attend(context, q, k, v, {
    heads,
    kvHeads,
    headSize,
    scale: floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(headSize),
    bias: inputAt(node, 10),
    softcap: floatAttribute(node, 'softcap', 0),
    causal: true,
    window: Math.max(0, intAttribute(node, 'local_window_size', -1)),
    sink: inputAt(node, 11) ?? (intAttribute(node, 'smooth_softmax', 0) > 0 ? 0 : null),
  });
  mergeHeads(builder, z, firstOutput(node));
}
