import { describe, expect, test } from 'vitest';
import { barSpans } from '../../../webview/inside/blocks/barSpans.ts';
import { cellText } from '../../../webview/inside/blocks/cellText.ts';
import { curvePoints, curveRange } from '../../../webview/inside/blocks/curvePoints.ts';
import { graphLayout } from '../../../webview/inside/blocks/graphLayout.ts';
import { cellAt, heatGeometry, scrolledTo, visibleRange } from '../../../webview/inside/blocks/heatGeometry.ts';
import { type HeatScale, heatScale, heatStrength } from '../../../webview/inside/blocks/heatScale.ts';
import { sortedRows } from '../../../webview/inside/blocks/sortedRows.ts';

describe('a grid', () => {
  const geometry = heatGeometry(270, 1000, { row: 60, column: 50, text: 0 }, 700);
  const view = { width: 700, height: 400, scrollLeft: 900, scrollTop: 1800 };

  test('only what is in view, whatever the size', () => {
    const { firstRow, lastRow, firstColumn, lastColumn } = visibleRange(geometry, view);
    expect([firstRow, firstColumn]).toEqual([100, 100]);
    expect((lastRow - firstRow) * (lastColumn - firstColumn)).toBeLessThan(2500);
  });

  test('every cell is found again at its middle, once it is scrolled to', () => {
    for (const cell of [
      { row: 0, column: 0 },
      { row: 269, column: 999 },
      { row: 133, column: 512 },
    ]) {
      const { left, top } = scrolledTo(geometry, view, cell);
      const moved = { ...view, scrollLeft: left, scrollTop: top };
      const x = geometry.left + (cell.column + 0.5) * geometry.cellWidth - left;
      const y = geometry.top + (cell.row + 0.5) * geometry.cellHeight - top;
      expect(cellAt(geometry, moved, x, y)).toEqual(cell);
    }
  });

  test('labels and the space beside the cells are none', () => {
    const small = heatGeometry(2, 2, { row: 40, column: 20, text: 0 }, 700);
    const top = { width: 700, height: 400, scrollLeft: 0, scrollTop: 0 };
    expect([
      cellAt(small, top, 10, 100),
      cellAt(small, top, 100, 5),
      cellAt(small, top, 650, 30),
      cellAt(small, top, 60, 300),
    ]).toEqual([null, null, null, null]);
  });
});

describe('a colour scale', () => {
  const signed = heatScale({ values: Float32Array.of(-2, 1, Number.NaN), scale: 'signed' });
  const size = heatScale({ values: Float32Array.of(1, 4), scale: 'magnitude' });
  const given = heatScale({ values: Float32Array.of(1, 4), scale: 'magnitude', range: [2, 3] });
  const cases: [scale: HeatScale, ...pairs: [value: number, strength: number][]][] = [
    [signed, [-2, -1], [1, 0.5], [0, 0], [9, 1]],
    [size, [0, 0], [4, 1], [1, 0.25]],
    [given, [1, 0], [2.5, 0.5], [4, 1]],
    [heatScale({ values: Float32Array.of(0, 0), scale: 'signed' }), [0, 0]],
    [heatScale({ values: new Float32Array(), scale: 'magnitude' }), [0, 0]],
  ];
  test.each(cases)('%j', (scale, ...pairs) => {
    for (const [value, strength] of pairs) expect(heatStrength(value, scale), String(value)).toBe(strength);
    expect(heatStrength(Number.NaN, scale)).toBeNaN();
  });
});

describe('bars', () => {
  test('a waterfall begins each bar where the one before ended, and ends at the total', () => {
    const bars = [1, 3, -2].map((value) => ({ label: '', value }));
    const { spans, total, zero } = barSpans({ bars, total: { label: '', value: 2 }, waterfall: true });
    expect([zero, total]).toEqual([0, { start: 0, size: 50, isNegative: false }]);
    expect(spans).toEqual([
      { start: 0, size: 25, isNegative: false },
      { start: 25, size: 75, isNegative: false },
      { start: 50, size: 50, isNegative: true },
    ]);
  });

  test('others begin at zero; what is no number has none', () => {
    const bars = [1, -1, Number.NaN].map((value) => ({ label: '', value }));
    expect(barSpans({ bars })).toEqual({
      spans: [{ start: 50, size: 50, isNegative: false }, { start: 0, size: 50, isNegative: true }, null],
      total: null,
      zero: 50,
    });
  });
});

describe('a curve', () => {
  const frame = { left: 10, top: 0, width: 100, height: 50 };
  test('fills its frame; what is no number is left out', () => {
    const points = [
      [0, 1],
      [1, Number.NaN],
      [2, 3],
    ] as const;
    expect(curvePoints(points, curveRange({ series: [{ label: '', points }] }), frame)).toBe('10.0,50.0 110.0,0.0');
  });

  test('with a diagonal both axes have the same ends', () => {
    const range = curveRange({
      series: [
        {
          label: '',
          points: [
            [0.2, 0.6],
            [0.4, 1],
          ],
        },
      ],
      diagonal: true,
    });
    expect(range).toEqual({ x: [0.2, 1], y: [0.2, 1] });
  });

  test('one point, and none', () => {
    expect(curveRange({ series: [{ label: '', points: [[1, 2]] }] })).toEqual({ x: [0.5, 1.5], y: [1.5, 2.5] });
    expect(curveRange({ series: [] })).toEqual({ x: [0, 1], y: [0, 1] });
  });
});

describe('a graph', () => {
  const node = (id: string, column: number, row: number) => ({ id, label: id, column, row });
  test('empty columns and rows take no room; the heaviest edge is the thickest; an edge to nowhere is left out', () => {
    const layout = graphLayout({
      nodes: [node('a', 0, 5), node('b', 29, 5), node('c', 29, 9)],
      edges: [
        { from: 'a', to: 'b', weight: 1 },
        { from: 'a', to: 'c', weight: -4 },
        { from: 'a', to: 'x', weight: 9 },
      ],
    });
    const [a, b, c] = layout.nodes;
    expect([(b?.x ?? 0) - (a?.x ?? 0), b?.y, c?.x]).toEqual([150, a?.y, b?.x]);
    expect(layout.edges.map(({ edge }) => edge.weight)).toEqual([-4, 1]);
    expect(layout.edges[0]?.width).toBeGreaterThan(layout.edges[1]?.width ?? 0);
  });
});

test.each([
  [3, '3'],
  [-12, '−12'],
  [0.5, '0.500'],
  [-0.000012, '−1.2e−5'],
  [123.456, '123.5'],
  [Number.NaN, '–'],
  [null, '–'],
  [' x\n', '␣x↵'],
])('a cell %j reads %s', (cell, expected) => expect(cellText(cell)).toBe(expected));

test('sorting is stable, and what is no number comes last', () => {
  const rows = [
    ['b', 1],
    ['a', Number.NaN],
    ['c', 1],
    ['d', 7],
  ].map((cells) => ({ cells: cells }));
  const order = (column: number, descending: boolean) => sortedRows(rows, { column, descending }).map(({ cells }) => cells[0]);
  expect(order(1, true)).toEqual(['d', 'b', 'c', 'a']);
  expect(order(1, false)).toEqual(['b', 'c', 'd', 'a']);
  expect(order(0, false)).toEqual(['a', 'b', 'c', 'd']);
  expect(sortedRows(rows, null)).toBe(rows);
});
