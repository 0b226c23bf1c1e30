import { type Component, componentLabel } from './components.ts';
import type { Edge } from './edgeAttribution.ts';

export interface Circuit {
  /** Strongest first. */
  readonly edges: readonly Edge[];
  /** Heads and MLPs that the edges touch. */
  readonly components: readonly Component[];
  /** Edges that were chosen and lead back to no word of the prompt, left out. */
  readonly pruned: number;
}

/**
 * Grown backwards from the logits (Hanna et al. 2024, arXiv 2403.17806, section 3): the strongest edge into a part that already belongs,
 * until there are `count` or the strongest is below `threshold`; then parts that hear nothing of the embedding fall away.
 * So every edge lies on a path from the prompt to the answer.
 */
export function chooseEdges(
  edges: readonly Edge[],
  { count, threshold }: { readonly count: number; readonly threshold: number },
): Circuit {
  const into = new Map<string, Edge[]>();
  for (const edge of edges) {
    const key = componentLabel(edge.to);
    const own = into.get(key);
    if (own === undefined) into.set(key, [edge]);
    else own.push(edge);
  }
  for (const own of into.values()) own.sort(byStrength);
  // Of each part that belongs, how many of its edges have been taken.
  const taken = new Map([['logits', 0]]);
  const chosen: Edge[] = [];
  while (chosen.length < count) {
    let best: Edge | undefined;
    for (const [key, index] of taken) {
      const edge = into.get(key)?.[index];
      if (edge !== undefined && (best === undefined || byStrength(edge, best) < 0)) best = edge;
    }
    if (best === undefined || Math.abs(best.score) < threshold) break;
    chosen.push(best);
    const [to, from] = [componentLabel(best.to), componentLabel(best.from)];
    taken.set(to, (taken.get(to) ?? 0) + 1);
    if (!taken.has(from)) taken.set(from, 0);
  }
  const kept = heardEdges(chosen).sort(byStrength);
  const components = new Map(
    kept.flatMap(({ from, to }) => [from, to]).map((component) => [componentLabel(component), component] as const),
  );
  return {
    edges: kept,
    components: [...components.values()].filter(({ kind }) => kind === 'head' || kind === 'mlp'),
    pruned: chosen.length - kept.length,
  };
}

/** Edges that begin at the embedding or at a part into which such an edge leads. */
function heardEdges(edges: readonly Edge[]): Edge[] {
  let kept = [...edges];
  for (;;) {
    const hearing = new Set(['embedding', ...kept.map(({ to }) => componentLabel(to))]);
    const next = kept.filter(({ from }) => hearing.has(componentLabel(from)));
    if (next.length === kept.length) break;
    kept = next;
  }
  // What led only to parts that fell away leads nowhere now; parts are reached from the logits in turn.
  for (;;) {
    const speaking = new Set(['logits', ...kept.map(({ from }) => componentLabel(from))]);
    const next = kept.filter(({ to }) => speaking.has(componentLabel(to)));
    if (next.length === kept.length) return kept;
    kept = next;
  }
}

function byStrength(a: Edge, b: Edge): number {
  return Math.abs(b.score) - Math.abs(a.score);
}
