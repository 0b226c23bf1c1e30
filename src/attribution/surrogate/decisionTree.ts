import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import type { AttributionMethod } from '../method.ts';
import { ablationPasses, keepLastParameter, middlePlayer, randomCoalitions } from './ablations.ts';
import type { Samples } from './regression.ts';
import { growTree, type TreeNode, treeValue } from './regressionTree.ts';
import { surrogateFit } from './surrogateFit.ts';

/**
 * Decision-tree surrogate: a small regression tree (CART, Breiman et al. 1984) of the target over which units are there, grown on
 * random ablations. A unit's score is the variance of the target that its questions take away, with the sign of what its presence
 * does; the unit of the target, squared. See docs/methods/decision-tree.md.
 */
export const decisionTree: AttributionMethod = {
  id: 'decision-tree',
  family: 'surrogate',
  label: 'Decision tree (which parts together)',
  assumption: 'A few questions of the kind "is this there?" decide the answer; what one adds may depend on another.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Ablated prompts', default: 128, minimum: 2, maximum: 4096, whole: true },
    { id: 'depth', label: 'Questions on the way to a leaf', default: 3, minimum: 1, maximum: 8, whole: true },
    { id: 'leafSamples', label: 'Fewest ablated prompts in a leaf', default: 4, minimum: 1, maximum: 1024, whole: true },
    replacementParameter,
    keepLastParameter,
  ],
  cost: (units, sharesBeginnings) => Math.min(128, 2 ** units) * ablationPasses(sharesBeginnings),

  async attribute(input, options = {}) {
    const { parameters, target } = input;
    const game = await CoalitionGame.open(input, { units: players(input, { keepLast: parameters['keepLast'] !== false }) });
    const rows = randomCoalitions(game.units.length, Number(parameters['samples']), middlePlayer(game, input), input.seed);
    const samples: Samples = { rows, values: await game.values(rows, options), weights: new Float64Array(rows.length).fill(1) };
    const limits = { depth: Number(parameters['depth']), leafSamples: Number(parameters['leafSamples']) };
    const tree = growTree(samples, limits);
    const surrogate = (fitted: Samples) => {
      const other = growTree(fitted, limits);
      return (row: ArrayLike<number>) => treeValue(other, row);
    };
    return {
      scores: game.unitScores(signedReductions(tree, game.units.length)),
      scoreUnit: `${target.description.unit}²`,
      forwardPasses: game.forwardPasses,
      findings: {
        tree: tree.map((node) => overUnits(node, game.units)),
        fit: surrogateFit(samples, (row) => treeValue(tree, row), surrogate),
      },
      warnings: [],
    };
  },
};

/** [columns]: the variance each column takes away, with the sign of what its presence does at that node. */
function signedReductions(tree: readonly TreeNode[], columns: number): Float64Array {
  const scores = new Float64Array(columns);
  const all = tree[0]?.samples ?? 1;
  for (const node of tree) {
    if (node.kind === 'leaf') continue;
    const rises = (tree[node.present]?.mean ?? 0) > (tree[node.absent]?.mean ?? 0);
    scores[node.column] = (scores[node.column] as number) + ((rises ? 1 : -1) * node.reduction) / all;
  }
  return scores;
}

/** A node as an explanation states it. */
function overUnits(node: TreeNode, units: readonly number[]) {
  const { mean, samples } = node;
  if (node.kind === 'leaf') return { kind: node.kind, mean, samples };
  return { kind: node.kind, unit: units[node.column] ?? 0, present: node.present, absent: node.absent, mean, samples };
}
