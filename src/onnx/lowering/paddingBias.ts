import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { GraphNode } from '../graph/graph.ts';
import { lengthBias, maskBias } from './attend.ts';
import { knownDims, type LoweringContext, unsupported } from './loweringContext.ts';

/**
 * The mask of a fused attention of com.microsoft as a bias on the scores: numbers of real tokens [batch], or ones and zeros [batch, keys], [batch, queries, keys].
 * @param tokens a tensor [batch, keys, …]
 */
export function paddingBias(
  context: LoweringContext,
  node: GraphNode,
  mask: string | null,
  tokens: string,
  masked: number,
): string | null {
  if (mask === null) return null;
  const dims = knownDims(context, mask);
  const rank = dims?.length ?? 2;
  if (rank === 1) {
    // [batch] with batch 1; other one-dimensional forms tell starts and ends of several sequences.
    if (dims?.[0] !== 1) throw unsupported(node, 'its mask has a form for several sequences');
    return lengthBias(context, mask, tokens, masked);
  }
  if (rank === 2 || rank === 3) return maskBias(context, mask, rank, masked);
  throw unsupported(node, `its mask has ${rank} dimensions`);
}

export function sumOf(builder: GraphBuilder, a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return builder.add(a, b);
}
