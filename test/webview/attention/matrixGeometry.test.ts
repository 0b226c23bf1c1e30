import { describe, expect, test } from 'vitest';
import {
  fittedCell,
  type Geometry,
  hitTest,
  labelStep,
  scrollTo,
  visibleCells,
  zoomed,
} from '../../../webview/attention/matrixGeometry.ts';

const geometry: Geometry = { queries: 100, keys: 100, cell: 10, left: 50, top: 40 };
const view = { width: 250, height: 240, scrollLeft: 105, scrollTop: 0 };

test.each([
  [20, 400, 20],
  [10, 400, 22],
  [1000, 400, 0.4],
  [0, 400, 22],
])('%i tokens in %i pixels: cells of %d', (tokens, room, cell) =>
  expect(fittedCell(tokens, tokens, room, room)).toBeCloseTo(cell),
);

test.each([
  [4, 1.5, 2, 6],
  [30, 1.5, 2, 32],
  [2.5, 1 / 1.5, 2, 2],
])('zoom %d by %d, fitted %d', (cell, factor, fitted, expected) => expect(zoomed(cell, factor, fitted)).toBeCloseTo(expected));

test('only what is in view is drawn', () => {
  expect(visibleCells(geometry, view)).toEqual({ firstQuery: 0, lastQuery: 20, firstKey: 10, lastKey: 31 });
  expect(visibleCells({ ...geometry, queries: 3, keys: 3 }, { ...view, scrollLeft: 0 })).toEqual({
    firstQuery: 0,
    lastQuery: 3,
    firstKey: 0,
    lastKey: 3,
  });
});

describe('what lies at a point', () => {
  test.each([
    [51, 41, { part: 'cell', query: 0, key: 10 }],
    [249, 239, { part: 'cell', query: 19, key: 30 }],
    [10, 55, { part: 'query', query: 1 }],
    [60, 10, { part: 'key', key: 11 }],
    [10, 10, null],
  ])('%i, %i', (x, y, expected) => expect(hitTest(geometry, view, x, y)).toEqual(expected));

  test('beyond the last token there is nothing', () => {
    expect(hitTest({ ...geometry, queries: 3, keys: 3 }, { ...view, scrollLeft: 0 }, 200, 200)).toBeNull();
    expect(hitTest({ ...geometry, queries: 3, keys: 3 }, { ...view, scrollLeft: 0 }, 10, 200)).toBeNull();
  });
});

test.each([
  ['in view', 5, 15, { left: 105, top: 0 }],
  ['left of it', 5, 2, { left: 20, top: 0 }],
  ['below it', 50, 15, { left: 105, top: 310 }],
])('scrolling to a cell %s', (_, query, key, expected) => expect(scrollTo(geometry, view, query, key)).toEqual(expected));

test.each([
  [20, 1],
  [10, 1],
  [7, 2],
  [3, 5],
  [0.4, 50],
])('cells of %d: a label every %i tokens', (cell, step) => expect(labelStep(cell)).toBe(step));
