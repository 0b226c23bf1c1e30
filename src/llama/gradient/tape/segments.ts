/** Cuts a pass into pieces that can be computed one after the other, with little to hand over between them. */
import { isContiguous } from '../execution/emitter.ts';
import type { TapeNode } from './tape.ts';

export interface TapeSegment {
  readonly nodes: readonly TapeNode[];
  /** Nodes of earlier segments that are read here. */
  readonly entering: readonly TapeNode[];
}

/**
 * @param nodes in order of computation
 * @param borders nodes after which a cut may lie: the ends of all blocks but the last
 * @param given nodes whose values are put in instead of computed
 * @param count segments wanted; fewer where the graph cannot be cut there
 */
export function cutIntoSegments(
  nodes: readonly TapeNode[],
  borders: readonly TapeNode[],
  given: readonly TapeNode[],
  count: number,
): TapeSegment[] {
  const possible = borders.filter((border) => canCut(nodes, border.index));
  const cuts: number[] = [];
  for (let piece = 1; piece < count; piece++) {
    const border = possible[Math.round((piece * (possible.length + 1)) / count) - 1];
    if (border !== undefined && cuts.at(-1) !== border.index) cuts.push(border.index);
  }
  const segments: TapeSegment[] = [];
  let from = -1;
  for (const to of [...cuts, Number.POSITIVE_INFINITY]) {
    const own = nodes.filter(({ index }) => index > from && index <= to);
    if (own.length > 0) segments.push({ nodes: own, entering: enteringNodes(own, given) });
    from = to;
  }
  return segments;
}

function enteringNodes(own: readonly TapeNode[], given: readonly TapeNode[]): TapeNode[] {
  const inside = new Set(own);
  const found = new Set<TapeNode>();
  for (const { sources } of own) {
    for (const source of sources) if (source?.kind === 'node' && !inside.has(source)) found.add(source);
  }
  // What is given but read by nobody here belongs to another segment.
  return [...found].sort((a, b) => a.index - b.index || given.indexOf(a) - given.indexOf(b));
}

/** Whatever crosses must be a whole F32 tensor, and no cache may be filled on one side and read on the other. */
function canCut(nodes: readonly TapeNode[], at: number): boolean {
  return nodes.every((node) => {
    if (node.index <= at) return true;
    return node.sources.every((source) => {
      if (source === null) return true;
      if (source.kind === 'cache') return source.writers.every((writer) => writer.index > at);
      return source.kind !== 'node' || source.index > at || isContiguous(source.header);
    });
  });
}
