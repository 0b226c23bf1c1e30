/** Places in the graph at which a pass may begin: the residual stream that enters a layer. */
import type { GraphNode } from './graph.ts';
import type { SiteNode, SiteTable } from './siteTable.ts';

export interface RestartPoint {
  readonly layer: number;
  /** `resid_pre` of the layer: what an earlier pass computed there stands for all before it. */
  readonly site: SiteNode;
}

/** Operators that compute nothing: another view of their operand. */
const views = ['VIEW', 'RESHAPE', 'PERMUTE', 'TRANSPOSE'];
/** What writes keys and values into the cache. */
const cacheWrites = ['SET_ROWS', 'CPY'];

/**
 * The deepest first; the first layer has none. A layer is left out when anything behind it reads what was computed before it, other than through
 * the stream. Models whose layers share keys and values through the cache have none at all: no edge of the graph shows that.
 */
export function findRestartPoints(nodes: readonly GraphNode[], sites: SiteTable, layers: number): RestartPoint[] {
  const points: RestartPoint[] = [];
  const entries = Array.from({ length: layers }, (_, layer) => sites.get(`resid_pre.${layer}`));
  if (!writesAlike(nodes, entries)) return points;
  const lastUses = lastUse(nodes);
  for (const [layer, site] of entries.entries()) {
    if (layer === 0 || site === undefined || site.outputRowsOnly) continue;
    const { index } = site.node;
    if (lastUses.slice(0, index).every((use) => use <= index)) points.unshift({ layer, site });
  }
  return points;
}

/** Whether every layer writes as many tensors into the cache, and at least one. */
function writesAlike(nodes: readonly GraphNode[], entries: readonly (SiteNode | undefined)[]): boolean {
  const writes = entries.map((entry, layer) => {
    const from = entry?.node.index ?? Infinity;
    const to = entries[layer + 1]?.node.index ?? Infinity;
    return nodes.filter(({ index, operator }) => index > from && index <= to && cacheWrites.includes(operator)).length;
  });
  return writes.every((count) => count > 0 && count === writes[0]);
}

/** Index of the last node that reads each node, itself or a view of it; −1 where none does, and for views. */
function lastUse(nodes: readonly GraphNode[]): number[] {
  const uses = nodes.map(() => -1);
  for (const node of nodes) {
    if (views.includes(node.operator)) continue;
    for (const source of node.sources) {
      let root = source;
      while (root !== null && views.includes(root.operator)) root = root.sources[0] ?? null;
      if (root !== null) uses[root.index] = node.index;
    }
  }
  return uses;
}
