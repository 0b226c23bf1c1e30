import { expect, test } from 'vitest';
import { nextInGrid, nextInList } from '../../../webview/ui/rovingFocus.ts';

test.each([
  ['ArrowRight', 0, 3, 1],
  ['ArrowDown', 2, 3, 2],
  ['ArrowLeft', 0, 3, 0],
  ['Home', 2, 3, 0],
  ['End', 0, 3, 2],
  ['x', 0, 3, null],
  ['End', 0, 0, null],
] as const)('list: %s from %i of %i', (key, index, length, expected) => expect(nextInList(key, index, length)).toBe(expected));

test.each([
  ['ArrowRight', false, [0, 0], [0, 1]],
  ['ArrowRight', false, [0, 4], [0, 4]],
  ['ArrowUp', false, [0, 2], [0, 2]],
  ['PageDown', false, [1, 2], [9, 2]],
  ['Home', false, [3, 2], [3, 0]],
  ['End', true, [0, 0], [9, 4]],
  ['Enter', false, [0, 0], null],
] as const)('grid of 10 × 5: %s, control %s', (key, control, [row, column], expected) => {
  const next = nextInGrid(key, control, { row, column }, 10, 5, 8);
  expect(next).toEqual(expected === null ? null : { row: expected[0], column: expected[1] });
});

test('an empty grid has nowhere to go', () => expect(nextInGrid('End', true, { row: 0, column: 0 }, 0, 5, 8)).toBeNull());
