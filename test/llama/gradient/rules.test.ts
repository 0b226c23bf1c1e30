/**
 * Every rule that works on elements or rows, on a graph of its own: the graph of ggml operators against the plain form, and the plain
 * form against differences of ggml's forward operator. CONCAT, CPY, DUP, REPEAT, SQR, SQRT, SUB and TRANSPOSE stand in no graph of
 * the tested families: this is all that runs their rules.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GraphBackend } from '../../../src/llama/gradient/execution/backend.ts';
import type { OperatorNumbers, Shape } from '../../../src/llama/gradient/execution/emitter.ts';
import { activations } from '../../../src/llama/gradient/rules/activations.ts';
import { operatorRules } from '../../../src/llama/gradient/rules/ruleTable.ts';
import { type OneOperator, OneOperatorGraph, tapeNode, openOperators } from './oneOperator.ts';

let backend: GraphBackend;
let numbers: OperatorNumbers;
beforeAll(async () => {
  ({ backend, numbers } = await openOperators());
});
afterAll(() => backend.free());

/** Odd multiples of 1/8 between −8 and 8, in no order: never as near to a kink as the steps are long, and exact in half precision. */
function values(shape: Shape, seed: number, map: (value: number) => number = (value) => value) {
  const length = shape.reduce((product, count) => product * count, 1);
  return { shape, values: Float32Array.from({ length }, (_, index) => map(((index * 37 + seed * 11) % 64) / 4 - 7.875)) };
}
/** For divisors and roots. */
const positive = (value: number) => Math.abs(value) / 4 + 1;
/** For EXP, whose values would hide everything else. */
const small = (value: number) => value / 4;

const whole: Shape = [6, 4, 2, 1];
const two = (operator: string, second: Shape, map?: (value: number) => number): OneOperator => ({
  operator,
  shape: whole,
  operands: [values(whole, 1), values(second, 2, map)],
});
const one = (operator: string, map?: (value: number) => number, parts: Partial<OneOperator> = {}): OneOperator => ({
  operator,
  shape: whole,
  operands: [values(whole, 3, map)],
  ...parts,
});
const joined = (axis: 0 | 1 | 2): OneOperator => {
  const second = whole.map((count, at) => (at === axis ? 3 : count)) as unknown as Shape;
  const shape = whole.map((count, at) => (at === axis ? count + 3 : count)) as unknown as Shape;
  return { operator: 'CONCAT', shape, operands: [values(whole, 4), values(second, 5)], integers: [axis] };
};

const cases: readonly (readonly [string, OneOperator])[] = [
  ...(['ADD', 'SUB', 'MUL', 'DIV'] as const).flatMap((operator) =>
    ([whole, [6, 1, 1, 1], [6, 4, 1, 1], [1, 4, 2, 1]] as const).map((shape): readonly [string, OneOperator] => [
      `${operator} by ${shape.join(' × ')}`,
      two(operator, shape, positive),
    ]),
  ),
  ...([0, 1, 2] as const).map((axis): readonly [string, OneOperator] => [`CONCAT along axis ${axis}`, joined(axis)]),
  ['REPEAT', { operator: 'REPEAT', shape: [6, 4, 6, 1], operands: [values([3, 4, 2, 1], 6)] }],
  ['SUM_ROWS', { operator: 'SUM_ROWS', shape: [1, 4, 2, 1], operands: [values(whole, 7)] }],
  ['SQR', one('SQR')],
  ['SQRT', one('SQRT', positive)],
  ['SCALE', one('SCALE', undefined, { floats: [-1.5, 0.25] })],
  ['CLAMP', one('CLAMP', undefined, { floats: [-2, 3] })],
  ['CLAMP without a lower bound', one('CLAMP', undefined, { floats: [Number.NEGATIVE_INFINITY, 3] })],
  ['DUP', one('DUP')],
  ['CONT', one('CONT')],
  ['CPY', one('CPY', undefined, { writesInto: true })],
  ['TRANSPOSE', one('TRANSPOSE', undefined, { shape: [4, 6, 2, 1], viewStrides: [24, 4, 96, 192] })],
  ['NORM', one('NORM', undefined, { floats: [1e-5] })],
  ['RMS_NORM', one('RMS_NORM', undefined, { floats: [1e-5] })],
];
test.each(cases)('%s', (_, operator) => check(operator));

test.each(Object.keys(activations))('UNARY %s', (name) => {
  check(one('UNARY', name === 'EXP' ? small : undefined, { integers: [numbers.unary.get(name) ?? -1] }), name);
});

const units = ['REGLU', 'GEGLU', 'SWIGLU', 'GEGLU_ERF', 'GEGLU_QUICK'] as const;
test.each(units.flatMap((name) => (['two operands', 'halves', 'halves, swapped'] as const).map((form) => [name, form] as const)))(
  'GLU %s, %s',
  (name, form) => {
    const operands =
      form === 'two operands' ? [values(whole, 8), values(whole, 9)] : [values([12, 4, 2, 1], form === 'halves' ? 8 : 9)];
    const integers = [numbers.gated.get(name) ?? -1, form === 'halves, swapped' ? 1 : 0];
    check({ operator: 'GLU', shape: whole, operands, integers }, name);
  },
);

/** Functions ggml reads from a table of half precision. */
const tables = new Set(['GELU', 'GELU_QUICK', 'GEGLU', 'GEGLU_QUICK']);

function check(operator: OneOperator, activation = ''): void {
  const graph = new OneOperatorGraph(backend, operator);
  try {
    const at = operator.operands.map((operand) => operand.values);
    const seed = Float32Array.from(graph.forward(at), (_, index) => Math.sin(1 + index * 1.7));
    const found = graph.gradients(at, seed);
    const isTable = tables.has(activation);
    // The value of a gated unit's gate is a factor of its derivative, so it shows where it comes from a table.
    const ofGraph = isTable && activation.startsWith('GEGLU') ? 1e-3 : 4e-6;
    // Values up to 64 in single precision, over a step of 1/64; in half precision, over a step of 1/8.
    const [step, ofDifference] = isTable ? [2 ** -3, 0.06] : [2 ** -6, 1e-3];
    for (const [index, plain] of found.plain.entries()) {
      const moved = (place: number, by: number) => {
        const changed = at.map((own, other) =>
          other === index ? own.map((value, element) => (element === place ? value + by : value)) : own,
        );
        return graph.forward(changed).reduce((sum, value, element) => sum + value * (seed[element] as number), 0);
      };
      const difference = (place: number, by: number) => (moved(place, by) - moved(place, -by)) / (2 * by);
      plain.forEach((slope, place) => {
        const where = `operand ${index}, element ${place}`;
        const byGraph = found.graph[index]?.[place] ?? Number.NaN;
        expect(Math.abs(byGraph - slope), where).toBeLessThanOrEqual(ofGraph * (1 + Math.abs(slope)));
        // Richardson's extrapolation: the error of the square of the step cancels.
        const measured = (4 * difference(place, step) - difference(place, 2 * step)) / 3;
        expect(Math.abs(measured - slope), `${where}: measured`).toBeLessThanOrEqual(ofDifference * (1 + Math.abs(slope)));
      });
    }
  } finally {
    graph.free();
  }
}

test('uses of an operator that have no rule are refused before anything is computed', () => {
  const refusal = (node: ReturnType<typeof tapeNode>) => operatorRules.get(node.operator)?.refusal?.(node, numbers, 2) ?? null;
  const x = tapeNode('NONE', whole, []);
  const numbered = (value = -1) => {
    const operatorParameters = new DataView(new ArrayBuffer(64));
    operatorParameters.setInt32(0, value, true);
    return { operatorParameters };
  };
  expect(refusal(tapeNode('UNARY', whole, [x], numbered(numbers.unary.get('HARDSWISH'))))).toMatch(/HARDSWISH/);
  expect(refusal(tapeNode('UNARY', whole, [x], numbered(numbers.unary.get('SILU'))))).toBeNull();
  expect(refusal(tapeNode('GLU', whole, [x, x], numbered(numbers.gated.get('SWIGLU_OAI'))))).toMatch(/SWIGLU_OAI/);
  expect(refusal(tapeNode('GLU', whole, [x, x], numbered(numbers.gated.get('SWIGLU'))))).toBeNull();
  expect(refusal(tapeNode('MUL_MAT_ID', whole, [x, x, x]))).toMatch(/not weights/);
  const float16 = 1;
  for (const operator of ['CPY', 'DUP']) {
    expect(refusal(tapeNode(operator, whole, [x], { type: float16 }))).toMatch(/32 bits/);
    expect(refusal(tapeNode(operator, whole, [x]))).toBeNull();
  }
  expect(refusal(tapeNode('SET_ROWS', whole, [x, x], {}, x))).toMatch(/no cache/);
  // Every second number of a row: ggml has no operator that adds to such places.
  expect(refusal(tapeNode('VIEW', [3, 4, 2, 1], [x], { nb: [8, 24, 96, 192] }, x))).toMatch(/one piece/);
  expect(refusal(tapeNode('VIEW', [3, 4, 2, 1], [x], { nb: [4, 24, 96, 192] }, x))).toBeNull();
});
