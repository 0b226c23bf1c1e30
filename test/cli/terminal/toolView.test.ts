/** What a tool found, as a terminal prints it: one golden text a kind of block. */
import { describe, expect, test } from 'vitest';
import { createTheme } from '../../../src/cli/terminal/theme.ts';
import { toolView } from '../../../src/cli/terminal/toolView.ts';
import type { Block } from '../../../src/shared/inspection/blocks.ts';
import type { ToolResult } from '../../../src/shared/protocol/tools.ts';

const hostile = '<b>\u001b[31m\u202ex\n';
const words = ['The', ' capital', ' of', ' France'];

function resultOf(blocks: readonly Block[], more: Partial<ToolResult> = {}): ToolResult {
  const promptText = words.join('');
  let at = 0;
  const tokens = words.map((text, id) => ({ id, text, start: at, end: (at += text.length), special: false }));
  const cost = { milliseconds: 1234, forwardPasses: 2 };
  return {
    tool: 'tool',
    label: 'A tool',
    parameters: {},
    data: {},
    blocks,
    tokens,
    promptText,
    sourceMap: [],
    cost,
    warnings: [],
    ...more,
  };
}

/** Without the label of the tool above and its cost below. */
function shown(block: Block, columns = 60, level: 0 | 1 | 2 | 3 = 0): string {
  const lines = toolView(resultOf([block]), createTheme(level), columns);
  return lines
    .slice(2, -2)
    .map((line) => line.trimEnd())
    .join('\n');
}

const axis = (title: string, labels: readonly string[]) => ({ title, entries: labels.map((label) => ({ label })) });

test('label, blocks, warnings, cost', () => {
  const blocks: Block[] = [
    { kind: 'text', title: 'Found', lines: ['Layer 3 knows.'] },
    { kind: 'text', tone: 'warning', lines: ['Measured on one prompt.'] },
  ];
  const view = toolView(resultOf(blocks, { warnings: [{ code: 'W_NOISE', message: hostile }] }), createTheme(0), 60);
  expect(view.join('\n')).toBe(
    `A tool

Found
Layer 3 knows.

Measured on one prompt.

W_NOISE: <b>␛[31m<U+202E>x⏎

1.2 s, 2.0 forward passes`,
  );
});

describe('heat', () => {
  const grid = {
    kind: 'heat',
    title: 'Layers',
    caption: 'Read downwards.',
    rows: axis('layer', ['L0', 'L1']),
    columns: axis('position', words),
    values: Float32Array.of(0.5, -1, 0, Number.NaN, 2, 0.001, -0.25, 1e6),
    unit: 'logits',
    scale: 'signed',
  } as const;

  test('numbers are never cut; a cell that is not there is empty', () => {
    expect(shown(grid)).toBe(
      `Layers
      The       capital  of       France
L0    +0.5     −1       0
L1    +2       +0.001   −0.25    +1.00e+6
rows: layer; columns: position; logits
Read downwards.`,
    );
  });

  test('as many columns as fit, and how many do not', () => {
    expect(shown(grid, 25)).toBe(
      `Layers
      The       capital
L0    +0.5     −1
L1    +2       +0.001
rows: layer; columns: position; logits; 2 more columns in --json
Read downwards.`,
    );
  });

  test('texts stand in the cells, harmless', () => {
    const texts = ['a', hostile, '', 'b', 'c', 'd', '巴黎巴黎巴黎', 'e'];
    expect(shown({ ...grid, texts })).toBe(
      `Layers
      The       capital  of       France
L0    a        <b>␛[31…          b
L1    c        d        巴黎巴…  e
rows: layer; columns: position; logits
Read downwards.`,
    );
  });

  test.each<[string, object, string]>([
    ['the largest of the data is the strongest', {}, '\u001b[30m\u001b[43m\u001b[1m+1'],
    ['the range is the scale where there is one', { range: [0, 10] }, '  +1'],
  ])('%s', (_, more, expected) => {
    const cell: Block = {
      kind: 'heat',
      title: 'One',
      rows: axis('r', ['r']),
      columns: axis('c', ['c']),
      values: Float32Array.of(1),
      unit: '',
      scale: 'magnitude',
      ...more,
    };
    const tinted = shown(cell, 60, 1).split('\n')[2] ?? '';
    if (expected.startsWith('\u001b')) expect(tinted).toContain(expected.slice(0, 5));
    else expect(tinted).not.toContain('\u001b[4');
  });
});

describe('table', () => {
  const table = {
    kind: 'table',
    title: 'Heads',
    columns: [{ label: 'head' }, { label: 'entropy', numeric: true, unit: 'nats' }, { label: 'does' }],
    rows: [
      { cells: ['L0.H1', 1.23456, 'previous token'] },
      { cells: [hostile, 12, ''] },
      { cells: ['L1.H0', Number.NaN, 'x'.repeat(40)] },
    ],
  } as const;

  test('numbers to the right, texts to the left and cut', () => {
    expect(shown(table)).toBe(
      `Heads
head                entropy (nats)  does
L0.H1                        1.235  previous token
<b>␛[31m<U+202E>x⏎              12
L1.H0                            –  ${'x'.repeat(31)}…`,
    );
  });

  test('forty rows, and how many are left', () => {
    const rows = Array.from({ length: 43 }, (_, index) => ({ cells: [`head ${index}`, index, ''] }));
    const lines = shown({ ...table, rows }).split('\n');
    expect(lines).toHaveLength(43);
    expect(lines.at(-1)).toBe('… and 3 more, all in --json');
  });

  test('no rows', () => {
    expect(shown({ ...table, rows: [] })).toBe('Heads\nhead  entropy (nats)  does');
  });
});

test('bars: size, sign, detail and total', () => {
  expect(
    shown({
      kind: 'bars',
      title: 'Parts',
      unit: 'logits',
      bars: [
        { label: 'L0.H1', value: 2, detail: 'writes Paris' },
        { label: hostile, value: -1 },
        { label: 'none', value: 0 },
      ],
      total: { label: 'logit', value: 1 },
    }),
  ).toBe(
    `Parts
  L0.H1                            +2  ████████████████████████  writes Paris
  <b>␛[31m<U+202E>x⏎               −1  ░░░░░░░░░░░░
  none                              0
  logit                            +1
  in logits`,
  );
});

test('a graph is its edges, strongest first', () => {
  expect(
    shown({
      kind: 'graph',
      title: 'Circuit',
      unit: 'nats',
      nodes: [
        { id: 'a', label: hostile, column: 0, row: 0 },
        { id: 'b', label: 'MLP 1', column: 1, row: 0 },
        { id: 'c', label: 'logits', column: 2, row: 0 },
      ],
      edges: [
        { from: 'a', to: 'b', weight: 0.1 },
        { from: 'b', to: 'c', weight: -3 },
      ],
    }),
  ).toBe(
    `Circuit
          −3  MLP 1 → logits
        +0.1  <b>␛[31m<U+202E>x⏎ → MLP 1
  3 nodes, 2 edges, in nats`,
  );
});

test('a curve is its points', () => {
  expect(
    shown({
      kind: 'curve',
      title: 'Calibration',
      x: 'stated',
      y: 'measured',
      diagonal: true,
      series: [
        {
          label: hostile,
          points: [
            [0, 0.1],
            [0.5, 0.333333],
            [1, Number.NaN],
          ],
        },
      ],
    }),
  ).toBe(
    `Calibration
  stated → measured
  <b>␛[31m<U+202E>x⏎: 0 → 0.1, 0.5 → 0.3333, 1 → –`,
  );
});

test('a prompt carries the step of each token', () => {
  expect(shown({ kind: 'prompt', title: 'Scores', unit: 'nats', signed: true, scores: Float32Array.of(0, 1, 0.01, -0.5) })).toBe(
    `Scores
The capital[+5] of France[−3]
in nats`,
  );
});

test('an edit: what goes, what comes, and the answers', () => {
  expect(
    shown({
      kind: 'edit',
      title: 'Flip 1',
      edits: [
        { start: 15, end: 21, text: 'Italy' },
        { start: 0, end: 0, text: hostile },
      ],
      before: ' Paris',
      after: ' Rome\n',
    }),
  ).toBe(
    `Flip 1
  - France
  + Italy
  -
  + <b>␛[31m<U+202E>x⏎
  before:  Paris
  after:   Rome⏎`,
  );
});
