import { expect, test } from 'vitest';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { decisionTree } from '../../../src/attribution/surrogate/decisionTree.ts';
import { growTree, treeValue } from '../../../src/attribution/surrogate/regressionTree.ts';
import { goldenGame, goldenTable } from './goldenTable.ts';
import { createTableModel, tableInput } from '../tableModel.ts';

const parameters = (given: Record<string, string | number | boolean> = {}) => resolveParameters(decisionTree, given);

/** Σ (value − mean)². */
function squaredError(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

test.each(['fact', 'ioi'])('every question of %s is the best one there is', (name) => {
  const { rows, values } = goldenTable(name);
  const limits = { depth: 3, leafSamples: 3 };
  const tree = growTree({ rows, values }, limits);
  let splits = 0;
  const check = (index: number, members: number[], depth: number) => {
    const node = tree[index]!;
    const own = members.map((sample) => values[sample]!);
    expect(node.samples).toBe(members.length);
    expect(node.mean).toBeCloseTo(own.reduce((sum, value) => sum + value, 0) / own.length, 9);
    const reductions = rows[0]!.reduce<number[]>((list, _there, unit) => {
      const [there, gone] = [1, 0].map((wanted) => members.filter((sample) => rows[sample]![unit] === wanted));
      const allowed = there!.length >= limits.leafSamples && gone!.length >= limits.leafSamples;
      const rest = [there, gone].reduce((sum, side) => sum + squaredError(side!.map((sample) => values[sample]!)), 0);
      return [...list, allowed ? squaredError(own) - rest : -1];
    }, []);
    if (node.kind === 'leaf') {
      expect(depth === limits.depth || Math.max(...reductions) <= 0).toBe(true);
      return;
    }
    splits++;
    expect(node.reduction).toBeCloseTo(Math.max(...reductions), 6);
    expect(reductions[node.column]).toBeCloseTo(Math.max(...reductions), 6);
    check(
      node.present,
      members.filter((sample) => rows[sample]![node.column] === 1),
      depth + 1,
    );
    check(
      node.absent,
      members.filter((sample) => rows[sample]![node.column] === 0),
      depth + 1,
    );
  };
  check(0, [...rows.keys()], 0);
  expect(splits).toBeGreaterThan(2);
});

test('scores add up to the variance that the tree describes, where every effect has one sign', async () => {
  // 4 if units 0 and 2 are there, 1 if only unit 0, else 0: an interaction, which no sum describes.
  const groups = [[0], [1], [2]];
  const model = createTableModel(groups, (bits) => ((bits & 1) === 0 ? 0 : (bits & 4) === 0 ? 1 : 4));
  const given = { leafSamples: 1, keepLast: false, depth: 2 };
  const { scores, findings, scoreUnit } = await decisionTree.attribute(
    await tableInput(model, groups, { parameters: parameters(given) }),
  );
  const values = [0, 0, 0, 0, 1, 4, 1, 4];
  expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(squaredError(values) / 8, 6);
  // Root: unit 0, means 2.5 and 0; then unit 2, means 4 and 1, on half of the prompts.
  expect([...scores].map((score) => Math.round(score * 1e6) / 1e6)).toEqual([1.5625, 0, 1.125]);
  expect(scoreUnit).toBe('logit²');
  expect(findings?.fit).toMatchObject({ samples: 8, r2: 1, intercept: 0 });
  expect(findings?.tree).toEqual([
    { kind: 'split', unit: 0, present: 1, absent: 4, mean: 1.25, samples: 8 },
    { kind: 'split', unit: 2, present: 2, absent: 3, mean: 2.5, samples: 4 },
    { kind: 'leaf', mean: 4, samples: 2 },
    { kind: 'leaf', mean: 1, samples: 2 },
    { kind: 'leaf', mean: 0, samples: 4 },
  ]);
});

test('a unit that lowers the target has a negative score', async () => {
  const groups = [[0], [1]];
  const model = createTableModel(groups, (bits) => ((bits & 2) === 0 ? 3 : 1));
  const { scores } = await decisionTree.attribute(
    await tableInput(model, groups, { parameters: parameters({ leafSamples: 1, keepLast: false }) }),
  );
  expect([...scores]).toEqual([0, -1]);
});

test('a tree predicts what its leaf holds, and a target that never changes needs no question', async () => {
  const { rows, values } = goldenTable('fact');
  const deep = growTree({ rows, values }, { depth: 5, leafSamples: 1 });
  rows.forEach((row, sample) => {
    expect(treeValue(deep, row)).toBeCloseTo(values[sample]!, 9);
  });
  expect(growTree({ rows, values: values.map(() => 0.1) }, { depth: 3, leafSamples: 1 })).toHaveLength(1);
});

test('on samples it has not seen a tree of the golden game still orders them', async () => {
  const { input } = goldenGame('ioi');
  const { findings } = await decisionTree.attribute(await input({ parameters: parameters({ keepLast: false, samples: 256 }) }));
  expect(findings?.fit?.heldOut).toBeGreaterThan(0.3);
  expect(findings?.fit?.heldOut).toBeLessThan(1);
});
