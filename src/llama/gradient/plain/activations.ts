import { integerParameter, operand } from '../tape/tape.ts';
import { addAt, type PlainRule } from './plainRule.ts';

interface Activation {
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const root = Math.sqrt(2 / Math.PI);
const inner = (x: number) => root * (x + 0.044715 * x ** 3);
const quick = 1.702;

/** exp(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!: all terms have one sign, where those of the Maclaurin series cancel (DLMF 7.6.2). */
function errorFunction(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
const cumulative = (x: number) => 0.5 * (1 + errorFunction(x / Math.SQRT2));

/** Keyed by ggml's names. */
const activations: Readonly<Record<string, Activation>> = {
  NEG: { value: (x) => -x, slope: () => -1 },
  STEP: { value: (x) => (x > 0 ? 1 : 0), slope: () => 0 },
  RELU: { value: (x) => Math.max(0, x), slope: (x) => (x > 0 ? 1 : 0) },
  TANH: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  SIGMOID: { value: sigmoid, slope: (x) => sigmoid(x) * (1 - sigmoid(x)) },
  EXP: { value: Math.exp, slope: Math.exp },
  SOFTPLUS: { value: (x) => Math.log1p(Math.exp(x)), slope: sigmoid },
  SILU: { value: (x) => x * sigmoid(x), slope: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
  GELU: {
    value: (x) => 0.5 * x * (1 + Math.tanh(inner(x))),
    slope: (x) => {
      const tanh = Math.tanh(inner(x));
      return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * root * (1 + 3 * 0.044715 * x * x);
    },
  },
  GELU_ERF: {
    value: (x) => x * cumulative(x),
    slope: (x) => cumulative(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  },
  GELU_QUICK: {
    value: (x) => x * sigmoid(quick * x),
    slope: (x) => sigmoid(quick * x) * (1 + quick * x * (1 - sigmoid(quick * x))),
  },
};

const gates: Readonly<Record<string, string>> = {
  REGLU: 'RELU',
  GEGLU: 'GELU',
  SWIGLU: 'SILU',
  GEGLU_ERF: 'GELU_ERF',
  GEGLU_QUICK: 'GELU_QUICK',
};

/** f(x), with `slope` as its derivative. */
export const unaryBy =
  (slope: (activation: Activation, x: number) => number): PlainRule =>
  ({ numbers, value, gradientOf }, node, gradient) => {
    const source = operand(node, 0);
    const activation = activationOf(nameIn(numbers.unary, integerParameter(node, 0)));
    const { data } = value(source);
    const result = gradientOf(source);
    for (let index = 0; index < data.length; index++) {
      addAt(result, index, (gradient[index] as number) * slope(activation, data[index] as number));
    }
  };
export const unary = unaryBy(({ slope }, x) => slope(x));

/** f(gate) · value, with `slopes` as its derivatives by both; with one operand the halves of its rows, gate first unless swapped. */
export const gatedBy =
  (slopes: (activation: Activation, gate: number, value: number) => readonly [gate: number, value: number]): PlainRule =>
  ({ numbers, value, needs, gradientOf }, node, gradient) => {
    const activation = activationOf(gates[nameIn(numbers.gated, integerParameter(node, 0))] ?? '');
    const [first, second = null] = [operand(node, 0), node.sources[1]];
    const [width] = node.header.ne;
    const swapped = integerParameter(node, 1) !== 0;
    const both = second === null;
    const place = (index: number, isGate: boolean) => {
      if (!both) return index;
      const row = Math.floor(index / width);
      return row * 2 * width + (isGate !== swapped ? 0 : width) + (index % width);
    };
    const gate = value(first).data;
    const other = both ? gate : value(second).data;
    const toGate = needs(first) ? gradientOf(first) : null;
    const toValue = both ? toGate : needs(second) ? gradientOf(second) : null;
    for (let index = 0; index < gradient.length; index++) {
      const x = gate[place(index, true)] as number;
      const y = other[place(index, false)] as number;
      const upstream = gradient[index] as number;
      const [byGate, byValue] = slopes(activation, x, y);
      if (toGate !== null) addAt(toGate, place(index, true), upstream * byGate);
      if (toValue !== null) addAt(toValue, place(index, false), upstream * byValue);
    }
  };
export const gatedUnit = gatedBy((activation, gate, value) => [value * activation.slope(gate), activation.value(gate)]);

function nameIn(numbers: ReadonlyMap<string, number>, number: number): string {
  return [...numbers].find(([, candidate]) => candidate === number)?.[0] ?? '';
}

function activationOf(name: string): Activation {
  const activation = activations[name];
  if (activation === undefined) throw new Error(`no plain derivative of ${name}`);
  return activation;
}
