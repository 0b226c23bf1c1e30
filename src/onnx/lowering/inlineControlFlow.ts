import type { OnnxGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { inlineBranches } from './inlineBranches.ts';
import { unrollLoops } from './unrollLoops.ts';

/** Enough for any nesting a file may have: it is at most 16 deep. */
const roundLimit = 20;

/**
 * Replaces branches and loops by the nodes that run, as far as that is the same for every prompt; those inside others too.
 * @returns `If` and `Loop`, once for each that was replaced
 */
export function inlineControlFlow(graph: OnnxGraph, probe: Probe | null): string[] {
  const replaced: string[] = [];
  for (let round = 0; round < roundLimit && graph.nodes.some(({ op }) => op === 'If' || op === 'Loop'); round++) {
    const [branches, loops] = [inlineBranches(graph, probe), unrollLoops(graph, probe)];
    if (branches + loops === 0) break;
    replaced.push(...new Array<string>(branches).fill('If'), ...new Array<string>(loops).fill('Loop'));
  }
  return replaced;
}
