/** Functions of single numbers, as plain arithmetic: to see what several operators together make of 0. */
import { floatAttribute, type GraphNode, operatorKey } from '../../../graph/graph.ts';

type Function = (inputs: readonly number[], node: GraphNode) => number;

const of =
  (evaluate: (x: number, node: GraphNode) => number): Function =>
  ([x = Number.NaN], node) =>
    evaluate(x, node);
const pair =
  (evaluate: (a: number, b: number) => number): Function =>
  ([a = Number.NaN, b = Number.NaN]) =>
    evaluate(a, b);
/** Activations that make 0 of 0; nothing else of them is asked. */
const throughZero = of((x) => (x === 0 ? 0 : Number.NaN));

const functions: Readonly<Record<string, Function>> = {
  Identity: of((x) => x),
  Cast: of((x) => x),
  Neg: of((x) => -x),
  Abs: of(Math.abs),
  Sqrt: of(Math.sqrt),
  Reciprocal: of((x) => 1 / x),
  Exp: of(Math.exp),
  Log: of(Math.log),
  Sin: of(Math.sin),
  Cos: of(Math.cos),
  Tanh: of(Math.tanh),
  Sigmoid: of((x) => 1 / (1 + Math.exp(-x))),
  Softplus: of((x) => Math.log1p(Math.exp(x))),
  Relu: of((x) => Math.max(x, 0)),
  HardSigmoid: of((x, node) =>
    Math.min(1, Math.max(0, floatAttribute(node, 'alpha', 0.2) * x + floatAttribute(node, 'beta', 0.5))),
  ),
  ThresholdedRelu: of((x, node) => (x > floatAttribute(node, 'alpha', 1) ? x : 0)),
  Clip: ([x = 0, low, high], node) => {
    const [least, most] = [low ?? floatAttribute(node, 'min', -Infinity), high ?? floatAttribute(node, 'max', Infinity)];
    return Math.min(most, Math.max(least, x));
  },
  Add: pair((a, b) => a + b),
  Sub: pair((a, b) => a - b),
  Mul: pair((a, b) => a * b),
  Div: pair((a, b) => a / b),
  Pow: pair((a, b) => a ** b),
  Max: (all) => Math.max(...all),
  Min: (all) => Math.min(...all),
  ...Object.fromEntries(
    [
      ...['Erf', 'Softsign', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'HardSwish', 'Mish', 'Swish', 'Gelu'],
      ...['com.microsoft:QuickGelu', 'com.microsoft:Gelu', 'com.microsoft:FastGelu'],
    ].map((key) => [key, throughZero] as const),
  ),
};

/** Whether each element of the output depends on the elements of the inputs at its place alone. */
export function isPointwise(node: GraphNode): boolean {
  return Object.hasOwn(functions, operatorKey(node));
}

/** What the operator makes of these numbers; NaN where that is not known. */
export function evaluatePointwise(node: GraphNode, inputs: readonly number[]): number {
  return functions[operatorKey(node)]?.(inputs, node) ?? Number.NaN;
}
