/**
 * The residual stream: at a merge, a branch is added to what it was computed from, and nothing else is left to compute with. Whatever
 * is added is `attn_out` where the branch holds a softmax over keys, else `mlp_out`. Works for blocks that normalise before their
 * branches and for those that normalise after the merge, and for attention and MLP side by side.
 */
import { type GraphNode, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import type { DataFlow } from './dataFlow.ts';
import { matchShape } from './shapes.ts';

export interface Block {
  readonly softmax: GraphNode;
  /** [1, H, T, T] */
  readonly pattern: string;
  readonly residPre: string;
  readonly attnOut: string | null;
  /** Null: attention and MLP both read the stream as it enters. */
  readonly residMid: string | null;
  readonly mlpOut: string | null;
  readonly residPost: string;
}

interface Merge {
  readonly skip: string;
  readonly branch: string;
  readonly output: string;
}

export interface Blocks {
  readonly blocks: readonly Block[];
  /** What the unembedding (or the pooling) reads; null where there is nothing behind the last block. */
  readonly finalNorm: string | null;
}

export function findBlocks(flow: DataFlow, probe: Probe, lookup: string, output: string, hidden: number): Blocks {
  const isStream = (tensor: string) => matchShape(probe, tensor, [1, 'tokens', hidden]) !== null;
  const cuts = flow.cuts(lookup, output).filter(isStream);
  const merges = cuts.flatMap((cut) => mergeAt(flow, cut, isStream));
  const patterns = findPatterns(flow, probe, lookup, output);
  const blocks: Block[] = [];
  for (const [index, { softmax, pattern }] of patterns.entries()) {
    const begin = flow.placeOf(pattern);
    const next = patterns[index + 1];
    const end = next === undefined ? Number.POSITIVE_INFINITY : flow.placeOf(next.pattern);
    const own = merges.filter((merge) => flow.placeOf(merge.output) > begin && flow.placeOf(merge.output) < end);
    const [attention, mlp] = own;
    if (attention === undefined) continue;
    const later = merges.find((merge) => flow.placeOf(merge.output) > end);
    const last = mlp ?? attention;
    const sides = mlp === undefined ? parallelParts(flow, attention.branch, pattern) : null;
    blocks.push({
      softmax,
      pattern,
      residPre: attention.skip,
      attnOut: sides === null ? attention.branch : sides.attention,
      residMid: mlp?.skip ?? null,
      mlpOut: mlp?.branch ?? sides?.mlp ?? null,
      residPost: later?.skip ?? lastStream(flow, last.output, cuts, attention.skip),
    });
  }
  const end = blocks.at(-1)?.residPost;
  const behind = cuts.filter((cut) => end !== undefined && flow.placeOf(cut) > flow.placeOf(end));
  return { blocks, finalNorm: behind.at(-1) ?? null };
}

/** An addition whose one operand the other was computed from. */
function mergeAt(flow: DataFlow, cut: string, isStream: (tensor: string) => boolean): Merge[] {
  const node = flow.producers.get(cut);
  if (node === undefined || operatorKey(node) !== 'Add') return [];
  const [a = '', b = ''] = node.inputs;
  if (!isStream(a) || !isStream(b)) return [];
  if (flow.isAncestor(a, b)) return [{ skip: a, branch: b, output: cut }];
  if (flow.isAncestor(b, a)) return [{ skip: b, branch: a, output: cut }];
  // (x + attention) + MLP, where both read x.
  for (const [sum, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const inner = flow.producers.get(sum);
    if (inner === undefined || operatorKey(inner) !== 'Add') continue;
    const skip = inner.inputs.find((input) => isStream(input) && flow.isAncestor(input, other));
    const branch = inner.inputs.find((input) => input !== skip);
    if (skip !== undefined && branch !== undefined && flow.isAncestor(skip, branch)) return [{ skip, branch: sum, output: cut }];
  }
  return [];
}

/** Attention and MLP that are added to each other before they are added to the stream. */
function parallelParts(
  flow: DataFlow,
  branch: string,
  pattern: string,
): { readonly attention: string | null; readonly mlp: string | null } | null {
  const node = flow.producers.get(branch);
  if (node === undefined || operatorKey(node) !== 'Add') return null;
  const attention = node.inputs.filter((input) => flow.isAncestor(pattern, input));
  const other = node.inputs.filter((input) => flow.producers.has(input) && !flow.isAncestor(pattern, input));
  if (attention.length !== 1 || other.length !== 1) return null;
  return { attention: attention[0] ?? null, mlp: other[0] ?? null };
}

/**
 * What leaves the last block: the merge, or where the stream itself is normalised (the projections read it directly) what follows it.
 */
function lastStream(flow: DataFlow, merged: string, cuts: readonly string[], residPre: string): string {
  const readsDirectly = (flow.consumers.get(residPre) ?? []).filter((node) => isProjection(node)).length > 0;
  if (!readsDirectly) return merged;
  return cuts.findLast((cut) => flow.placeOf(cut) > flow.placeOf(merged)) ?? merged;
}

export function isProjection(node: GraphNode): boolean {
  return /^(MatMul|Gemm|FusedMatMul|com\.microsoft:(MatMulNBits|FusedMatMul|MatMulIntegerToFloat|DynamicQuantizeMatMul)|MatMulInteger|DynamicQuantizeLinear)$/.test(
    operatorKey(node),
  );
}

function findPatterns(
  flow: DataFlow,
  probe: Probe,
  lookup: string,
  output: string,
): { readonly softmax: GraphNode; readonly pattern: string }[] {
  const after = flow.descendants(lookup);
  const before = flow.ancestors(output);
  return flow.graph.nodes.flatMap((softmax) => {
    const [probabilities = ''] = softmax.outputs;
    if (operatorKey(softmax) !== 'Softmax' || !after.has(probabilities) || !before.has(probabilities)) return [];
    if (matchShape(probe, probabilities, [1, 'any', 'tokens', 'tokens']) !== null) return [{ softmax, pattern: probabilities }];
    // A column for a sink stands beside the keys and is taken off again.
    const cut = (flow.consumers.get(probabilities) ?? []).flatMap(({ outputs }) => outputs);
    const pattern = cut.find((tensor) => matchShape(probe, tensor, [1, 'any', 'tokens', 'tokens']) !== null);
    return pattern === undefined ? [] : [{ softmax, pattern }];
  });
}
