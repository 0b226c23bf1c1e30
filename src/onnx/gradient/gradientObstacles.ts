import { type GraphNode, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe } from '../graph/probe.ts';
import { withStages } from '../sites/patchStages.ts';
import { differentiate } from './differentiate.ts';

export interface Obstacle {
  readonly node: GraphNode;
  /** Key of its operator. */
  readonly operator: string;
  readonly why: string;
}

/**
 * Every node the exact gradient of `output` by `root` cannot go through, in the order of computation: the backward graph is written, and thrown away.
 * A node behind another that is refused is found as well.
 */
export function gradientObstacles(graph: OnnxGraph, probe: Probe, root: string, output: string): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const { graph: copy } = withStages(graph, []);
  differentiate(copy, probe, new GraphBuilder(copy, 'loupe/obstacles'), {
    // Nothing runs, so that any name of the right shape stands for the cotangent.
    seeds: new Map([[output, output]]),
    roots: [root],
    wanted: [root],
    onObstacle: (node, why) => found.unshift({ node, operator: operatorKey(node), why }),
  });
  return found;
}
