import { describe, expect, test } from 'vitest';
import { blockCsv, hasCsv } from '../../src/shared/inspection/blockCsv.ts';
import type { Block } from '../../src/shared/inspection/blocks.ts';

const tokens = [
  { text: 'The', start: 0, end: 3 },
  { text: ' cat', start: 3, end: 7 },
];

const blocks: { readonly [Kind in Block['kind']]: readonly [Extract<Block, { kind: Kind }>, string | null] } = {
  heat: [
    {
      kind: 'heat',
      title: 'T',
      rows: { title: 'layer', entries: [{ label: 'L0' }, { label: 'L1' }] },
      columns: { title: 'position', entries: [{ label: '=cat' }, { label: 'a,"b"' }] },
      values: Float32Array.of(0.5, -1, Number.NaN, 2),
      unit: 'nats',
      scale: 'signed',
      texts: ['x', 'y\n', '', '@z'],
    },
    [
      'row,layer,column,position,value (nats),text',
      "0,L0,0,'=cat,0.5,x",
      '0,L0,1,"a,""b""",-1,"y\n"',
      '1,L1,1,"a,""b""",2,\'@z',
    ].join('\r\n'),
  ],
  table: [
    {
      kind: 'table',
      title: 'T',
      columns: [{ label: 'head' }, { label: 'entropy', numeric: true, unit: 'nats' }],
      rows: [{ cells: ['L0.H0', 1.5] }, { cells: ['-1', Number.NaN] }],
    },
    "head,entropy (nats)\r\nL0.H0,1.5\r\n'-1,",
  ],
  bars: [
    {
      kind: 'bars',
      title: 'T',
      unit: '',
      bars: [{ label: 'MLP', value: -2, detail: 'd' }],
      total: { label: 'logit', value: -2 },
    },
    'part,value,detail\r\nMLP,-2,d\r\nlogit,-2,total',
  ],
  graph: [
    {
      kind: 'graph',
      title: 'T',
      unit: 'nats',
      nodes: [{ id: 'a', label: 'L0.H1', column: 0, row: 0 }],
      edges: [{ from: 'a', to: 'b', weight: 0.25 }],
    },
    'from,to,weight (nats)\r\nL0.H1,b,0.25',
  ],
  curve: [
    {
      kind: 'curve',
      title: 'T',
      x: 'stated',
      y: 'measured',
      series: [
        {
          label: 's',
          points: [
            [0, 1],
            [1, 0.5],
          ],
        },
      ],
    },
    'series,stated,measured\r\ns,0,1\r\ns,1,0.5',
  ],
  prompt: [
    { kind: 'prompt', title: 'T', unit: 'logits', signed: true, scores: Float32Array.of(1, -0.5) },
    'token,text,start,end,score (logits)\r\n0,The,0,3,1\r\n1, cat,3,7,-0.5',
  ],
  edit: [{ kind: 'edit', title: 'T', edits: [], before: '', after: '' }, null],
  text: [{ kind: 'text', lines: ['x'] }, null],
};

describe('a block as CSV', () => {
  test.each(Object.entries(blocks))('%s', (_, [block, expected]) => {
    expect(blockCsv(block, tokens)).toBe(expected === null ? null : `${expected}\r\n`);
    expect(hasCsv(block)).toBe(expected !== null);
  });
});
