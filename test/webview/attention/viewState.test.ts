import { expect, test } from 'vitest';
import { tokenWeights, topWeights } from '../../../webview/attention/tokenWeights.ts';
import { initialViewState, nextViewState, type ViewState } from '../../../webview/attention/viewState.ts';
import { gridMessage, headMessage, weightedGridMessage, weightedHeadMessage } from '../harness/samples.ts';

const words = ['a', ' b', ' c'];
const grid = gridMessage(words, 4, 2);
const withGrid = nextViewState(initialViewState, grid);
const at = (state: ViewState) => [state.wanted?.layer, state.wanted?.head];

test('a first grid opens the last layer; a later one keeps the head where the model has it', () => {
  expect(at(withGrid)).toEqual([3, 0]);
  const chosen = { ...withGrid, wanted: { layer: 1, head: 1 } };
  expect(at(nextViewState(chosen, grid))).toEqual([1, 1]);
  expect(at(nextViewState(chosen, gridMessage(words, 1, 1)))).toEqual([0, 0]);
  expect(at(nextViewState(chosen, gridMessage(words, 0, 0)))).toEqual([undefined, undefined]);
});

test.each([
  ['the head that was asked for', headMessage(3, 3, 0), true],
  ['a late answer for another head', headMessage(3, 0, 0), false],
  ['another prompt’s size', headMessage(4, 3, 0), false],
  ['one that is weighted beside heads that are not', weightedHeadMessage(3, 3, 0), false],
  ['too few values', { ...headMessage(3, 3, 0), values: new Float32Array(2) }, false],
] as const)('%s', (_, message, taken) => expect(nextViewState(withGrid, message).head !== null).toBe(taken));

test('idle clears the picture and remembers the head', () => {
  const state = nextViewState(nextViewState(withGrid, headMessage(3, 3, 0)), { type: 'idle' });
  expect([state.grid, state.head, ...at(state)]).toEqual([null, null, 3, 0]);
});

test.each([
  [weightedHeadMessage(3, 3, 0), true],
  [headMessage(3, 3, 0), false],
])('beside weighted heads only a weighted head is taken', (message, taken) => {
  const weighted = nextViewState(initialViewState, weightedGridMessage(words, 4, 2));
  expect(nextViewState(weighted, message).head !== null).toBe(taken);
});

test('a notice stays while heads arrive and goes with the next load', () => {
  const notice = { code: 'E_GRADIENT_MEMORY', message: 'm' };
  const noticed = nextViewState(nextViewState(initialViewState, { ...grid, notice }), headMessage(3, 3, 0));
  expect(noticed.notice).toEqual(notice);
  expect(nextViewState(noticed, { type: 'loading', target: ' Paris' })).toMatchObject({ notice: null, target: ' Paris' });
});

test.each([
  [0, 1, 'reading'],
  [2, 5, 'reading 2/5'],
])('progress %i of %i', (done, total, phase) =>
  expect(nextViewState(withGrid, { type: 'progress', phase: 'reading', done, total }).phase).toBe(phase),
);

test('a failure keeps the picture', () => {
  const state = nextViewState(nextViewState(withGrid, { type: 'loading' }), { type: 'failed', code: 'E_X', message: 'm' });
  expect([state.loading, state.failure?.code, state.grid !== null]).toEqual([false, 'E_X', true]);
});

const matrix = { queries: 3, keys: 3, values: Float32Array.from([1, 0, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5]) };

test.each([
  [2, 'row', [0.25, 0.25, 0.5]],
  [0, 'column', [1, 0.5, 0.25]],
] as const)('token %i, %s', (token, direction, expected) =>
  expect([...tokenWeights(matrix, token, direction)]).toEqual(expected),
);

test('signed weights are ranked by size', () => {
  expect(topWeights(Float32Array.from([0.25, -0.5, 0]), 3)).toEqual([
    { token: 1, weight: -0.5 },
    { token: 0, weight: 0.25 },
  ]);
});

test('the largest weights first, equals in reading order, zeros never', () => {
  expect(topWeights(Float32Array.from([0, 0.25, 0.5, 0.25, Number.NaN]), 2)).toEqual([
    { token: 2, weight: 0.5 },
    { token: 1, weight: 0.25 },
  ]);
});
