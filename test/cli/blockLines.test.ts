/** Blocks of tools in a terminal without colours: every kind as the lines it is read in. */
import { expect, test } from 'vitest';
import { createTheme } from '../../src/cli/terminal/theme.ts';
import { toolView } from '../../src/cli/terminal/toolView.ts';
import type { Block } from '../../src/shared/inspection/blocks.ts';

const promptText = 'The capital';
const tokens = [
  { id: 1, text: 'The', start: 0, end: 3, special: false },
  { id: 2, text: ' capital', start: 3, end: 11, special: false },
];

function shown(block: Block, columns = 60): string[] {
  const cost = { milliseconds: 5, forwardPasses: 1 };
  const lines = toolView({ label: 'Tool', blocks: [block], tokens, promptText, cost, warnings: [] }, createTheme(0), columns);
  return lines.slice(2, -2).map((line) => line.trimEnd());
}

const axis = (title: string, labels: string[]) => ({ title, entries: labels.map((label) => ({ label })) });

const cases: [kind: string, block: Block, expected: string[]][] = [
  [
    'a grid of numbers',
    {
      kind: 'heat',
      title: 'Heat',
      caption: 'Below.',
      rows: axis('layer', ['L0', 'L1']),
      columns: axis('head', ['H0', 'H1']),
      values: Float32Array.of(0.5, -0.25, Number.NaN, 0),
      unit: 'logit',
      scale: 'signed',
    },
    ['Heat', '      H0     H1', 'L0    +0.5   −0.25', 'L1           0', 'rows: layer; columns: head; logit', 'Below.'],
  ],
  [
    'a grid of tokens',
    {
      kind: 'heat',
      title: 'Heat',
      rows: axis('layer', ['L0']),
      columns: axis('token', ['The', ' x']),
      values: Float32Array.of(0.5, 1),
      unit: 'probability',
      scale: 'magnitude',
      texts: [' a', '\u001b[31mred'],
    },
    ['Heat', '      The       x', 'L0     a       ␛[31mred', 'rows: layer; columns: token; probability'],
  ],
  [
    'a table',
    {
      kind: 'table',
      title: 'Table',
      columns: [{ label: 'Head' }, { label: 'Entropy', numeric: true, unit: 'nat' }],
      rows: [{ cells: ['L0.H1', 0.123456] }, { cells: ['L10.H1', 12] }, { cells: ['x', Number.NaN] }],
    },
    ['Table', 'Head    Entropy (nat)', 'L0.H1          0.1235', 'L10.H1             12', 'x                   –'],
  ],
  [
    'a graph, strongest edge first',
    {
      kind: 'graph',
      title: 'Graph',
      unit: 'logit',
      nodes: [
        { id: 'a', label: 'L0.H1', column: 0, row: 0 },
        { id: 'b', label: 'logit', column: 1, row: 0 },
      ],
      edges: [
        { from: 'a', to: 'b', weight: 0.5 },
        { from: 'b', to: 'a', weight: -2 },
      ],
    },
    ['Graph', '          −2  logit → L0.H1', '        +0.5  L0.H1 → logit', '  2 nodes, 2 edges, in logit'],
  ],
  [
    'a curve',
    {
      kind: 'curve',
      title: 'Curve',
      x: 'share',
      y: 'value',
      series: [
        {
          label: 'one',
          points: [
            [0, 1],
            [0.5, Number.NaN],
          ],
        },
      ],
    },
    ['Curve', '  share → value', '  one: 0 → 1, 0.5 → –'],
  ],
  [
    'an edit',
    { kind: 'edit', title: 'Edit', edits: [{ start: 4, end: 11, text: 'river' }], before: ' a', after: ' b' },
    ['Edit', '  - capital', '  + river', '  before:  a', '  after:   b'],
  ],
  ['words', { kind: 'text', tone: 'warning', lines: ['One.', 'Two \u0007.'] }, ['One.', 'Two ␇.']],
];

test.each(cases)('%s', (_kind, block, expected) => expect(shown(block)).toEqual(expected));

test('columns that do not fit are counted, not cut silently', () => {
  const labels = Array.from({ length: 50 }, (_, at) => `H${at}`);
  const lines = shown(
    {
      kind: 'heat',
      title: 'Heat',
      rows: axis('layer', ['L0']),
      columns: axis('head', labels),
      values: new Float32Array(50),
      unit: 'logit',
      scale: 'signed',
    },
    40,
  );
  expect(lines.every((line) => line.length <= 40 || line.startsWith('rows:'))).toBe(true);
  expect(lines.at(-1)).toBe('rows: layer; columns: head; logit; 46 more columns in --json');
});

test('rows that are not shown are counted', () => {
  const rows = Array.from({ length: 45 }, (_, at) => ({ cells: [`r${at}`] }));
  const lines = shown({ kind: 'table', title: 'Table', columns: [{ label: 'x' }], rows });
  expect([lines.length, lines.at(-1)]).toEqual([43, '… and 5 more, all in --json']);
});

test('bars stand for their size, and the total below them', () => {
  const bars = [
    { label: 'up', value: 2, detail: 'why' },
    { label: 'down', value: -1 },
  ];
  const lines = shown({ kind: 'bars', title: 'Bars', unit: 'logit', bars, total: { label: 'all', value: 1 } });
  expect(lines[1]).toMatch(/^ {2}up +\+2 {2}█{24} {2}why$/);
  expect(lines[2]).toMatch(/^ {2}down +−1 {2}░{12}$/);
  expect(lines.slice(3)).toEqual([expect.stringMatching(/^ {2}all +\+1$/), '  in logit']);
});
