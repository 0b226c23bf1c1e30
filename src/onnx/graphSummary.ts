import type { GradientObstacle, GraphSummary, OperatorCount } from '../shared/graphSummary.ts';
import type { Obstacle } from './gradient/gradientObstacles.ts';
import { ruleTables } from './gradient/rules/ruleTables.ts';
import type { PreparedGraph } from './lowering/prepareGraph.ts';
import type { SourceFacts } from './sourceFacts.ts';
import { isExperts } from './structure/experts.ts';

/** Names of refused nodes that are told of each kind; the rest are counted. */
const namedNodes = 20;
/** Names come from the file. */
const longestName = 100;
const halfFloats = 'float16';

export function graphSummary(
  source: SourceFacts,
  { graph, lowered }: PreparedGraph,
  obstacles: readonly Obstacle[],
): GraphSummary {
  const unknown = obstacles.filter(({ node, operator }) => !ruleTables.exact.has(operator) && !isExperts(node));
  return {
    nodes: { file: source.nodes, run: graph.nodes.length },
    openedUp: counted(lowered.filter((operator) => operator !== halfFloats)),
    writesAsItIs: source.takesKeyValues,
    hasHalfFloats: lowered.includes(halfFloats),
    fixedBatch: source.fixedBatch,
    withoutGradient: byReason(obstacles),
    unrecognised: counted(unknown.map(({ operator }) => operator)),
  };
}

function counted(operators: readonly string[]): OperatorCount[] {
  const counts = new Map<string, number>();
  for (const operator of operators) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([operator, count]) => ({ operator, count }));
}

function byReason(obstacles: readonly Obstacle[]): GradientObstacle[] {
  const groups = new Map<string, { operator: string; count: number; why: string; nodes: string[] }>();
  for (const { node, operator, why } of obstacles) {
    const key = `${operator} ${why}`;
    const group = groups.get(key) ?? { operator, count: 0, why, nodes: [] };
    groups.set(key, group);
    group.count++;
    const name = node.name === '' ? (node.outputs.find((output) => output !== '') ?? '') : node.name;
    if (group.nodes.length < namedNodes) group.nodes.push(name.length > longestName ? `${name.slice(0, longestName)}…` : name);
  }
  return [...groups.values()];
}
