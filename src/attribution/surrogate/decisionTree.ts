import type { Explanation } from '../../shared/explanation.ts';
import type { Coalition } from '../game.ts';
import type { AttributionMethod } from '../method.ts';
import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { branchingAblations } from './ablationDesign.ts';
import { keepLastParameter } from './keepLast.ts';

/**
 * Decision-tree surrogate (Craven & Shavlik 1995; regression trees: Breiman et al. 1984, chapter 8): which units, asked for one
 * after another, tell the target best. A unit's score is what its splits explain, √(variance reduced), with the sign of what its
 * presence does; in the target's unit. See docs/methods/decision-tree.md.
 */
export const decisionTree: AttributionMethod = {
  id: 'decision-tree',
  family: 'surrogate',
  label: 'Decision tree',
  assumption: 'A few yes-or-no questions about which units are there tell the answer. Shows what acts only together.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Ablated prompts', default: 128, minimum: 4, maximum: 8192, whole: true },
    { id: 'depth', label: 'Questions one after another', default: 3, minimum: 1, maximum: 8, whole: true },
    { id: 'leaf', label: 'Prompts in a leaf, at least', default: 4, minimum: 1, maximum: 1024, whole: true },
    keepLastParameter,
    replacementParameter,
  ],
  cost: () => 32,

  async attribute(input, options = {}) {
    const { parameters, seed } = input;
    const game = await CoalitionGame.open(input, { units: players(input, { keepLast: parameters['keepLast'] === true }) });
    const samples = branchingAblations(game.size, Number(parameters['samples']), seed);
    const y = await game.values(samples, options);
    const nodes = growTree(samples, y, { depth: Number(parameters['depth']), leaf: Number(parameters['leaf']) });
    return {
      scores: game.unitScores(splitScores(nodes, game.size)),
      forwardPasses: game.forwardPasses,
      findings: {
        tree: nodes.map((node) => (node.kind === 'leaf' ? node : { ...node, unit: game.units[node.unit] as number })),
        fit: { samples: samples.length, r2: describedShare(nodes, y), intercept: nodes[0]?.mean ?? 0 },
      },
      warnings: [],
    };
  },
};

export type TreeNode = NonNullable<NonNullable<Explanation['findings']>['tree']>[number];

/** Greedy regression tree: each node takes the question that leaves least squared error. `unit` is the player; node 0 the root. */
export function growTree(
  samples: readonly Coalition[],
  y: Float64Array,
  { depth, leaf }: { readonly depth: number; readonly leaf: number },
): TreeNode[] {
  const nodes: TreeNode[] = [];
  const grow = (members: readonly number[], questions: number): number => {
    const mean = meanOf(members, y);
    const at = nodes.push({ kind: 'leaf', mean, samples: members.length }) - 1;
    const unit = questions > 0 ? bestQuestion(samples, y, members, leaf) : null;
    if (unit === null) return at;
    const present = grow(
      members.filter((member) => samples[member]?.[unit] === 1),
      questions - 1,
    );
    const absent = grow(
      members.filter((member) => samples[member]?.[unit] === 0),
      questions - 1,
    );
    nodes[at] = { kind: 'split', unit, present, absent, mean, samples: members.length };
    return at;
  };
  if (samples.length > 0) grow([...samples.keys()], depth);
  return nodes;
}

/** The player whose presence reduces the squared error most, the first of equals; null when none does. */
function bestQuestion(samples: readonly Coalition[], y: Float64Array, members: readonly number[], leaf: number): number | null {
  let best: { readonly unit: number; readonly gain: number } | null = null;
  const size = samples[0]?.length ?? 0;
  for (let unit = 0; unit < size; unit++) {
    const present = members.filter((member) => samples[member]?.[unit] === 1);
    const absent = members.filter((member) => samples[member]?.[unit] === 0);
    if (present.length < leaf || absent.length < leaf) continue;
    const gain = reduction(present.length, meanOf(present, y), absent.length, meanOf(absent, y));
    if (gain > 1e-12 && gain > (best?.gain ?? 0)) best = { unit, gain };
  }
  return best?.unit ?? null;
}

/** By how much two means leave less squared error than their common one: n₁n₂/(n₁+n₂) (m₁ − m₂)². */
function reduction(n1: number, m1: number, n2: number, m2: number): number {
  return ((n1 * n2) / (n1 + n2)) * (m1 - m2) ** 2;
}

/** [players] */
function splitScores(nodes: readonly TreeNode[], size: number): Float64Array {
  const scores = new Float64Array(size);
  const total = nodes[0]?.samples ?? 1;
  for (const node of nodes) {
    if (node.kind === 'leaf') continue;
    const present = nodes[node.present] as TreeNode;
    const absent = nodes[node.absent] as TreeNode;
    const gain = reduction(present.samples, present.mean, absent.samples, absent.mean);
    const part = Math.sign(present.mean - absent.mean) * Math.sqrt(gain / total);
    scores[node.unit] = (scores[node.unit] as number) + part;
  }
  return scores;
}

/** R² on the tree's own samples. */
function describedShare(nodes: readonly TreeNode[], y: Float64Array): number {
  const mean = nodes[0]?.mean ?? 0;
  const all = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const described = nodes.reduce((sum, node) => sum + (node.kind === 'leaf' ? node.samples * (node.mean - mean) ** 2 : 0), 0);
  return all > 0 ? described / all : 0;
}

function meanOf(members: readonly number[], y: Float64Array): number {
  return members.reduce((sum, member) => sum + (y[member] as number), 0) / Math.max(1, members.length);
}
