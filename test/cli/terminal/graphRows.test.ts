import { expect, test } from 'vitest';
import { graphRows } from '../../../src/cli/terminal/graphRows.ts';

test('every finding has its row', () => {
  const rows = graphRows({
    nodes: { file: 40, run: 120 },
    openedUp: [
      { operator: 'com.microsoft:BiasGelu', count: 2 },
      { operator: 'If', count: 1 },
    ],
    writesAsItIs: true,
    hasHalfFloats: true,
    fixedBatch: 2,
    withoutGradient: [{ operator: 'Shrink', count: 3, why: 'its derivative has no rule yet', nodes: ['a', 'b'] }],
    unrecognised: [{ operator: 'Shrink', count: 3 }],
  });
  expect(Object.fromEntries(rows)).toEqual({
    nodes: '40 in the file, 120 in the graph that is looked into',
    'opened up': 'com.microsoft:BiasGelu × 2, If × 1',
    'writing text': 'runs the file as it is, with keys and values',
    '16-bit floats': 'computed in 32 bits',
    batch: '2 sequences, fixed: each is given the same tokens, the first is read',
    'no gradient': 'Shrink × 3: its derivative has no rule yet (a, b, and 1 more)',
    'not recognised': 'Shrink × 3',
  });
});

test('a graph of primitive operators', () => {
  const rows = graphRows({
    nodes: { file: 9, run: 5 },
    openedUp: [],
    writesAsItIs: false,
    hasHalfFloats: false,
    fixedBatch: 1,
    withoutGradient: [],
    unrecognised: [],
  });
  expect(rows).toEqual([
    ['nodes', '9 in the file, 5 in the graph that is looked into'],
    ['opened up', 'nothing: no fused operator'],
    ['batch', 'one sequence, fixed'],
    ['gradients', 'every operator between embeddings and answer has a rule'],
    ['not recognised', 'nothing'],
  ]);
});
