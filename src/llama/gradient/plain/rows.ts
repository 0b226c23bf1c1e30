/** Operators that work on whole rows: norms, the softmax, the rotary embedding. */
import { floatParameter, integerParameter, operand } from '../tape/tape.ts';
import { addAt, type PlainRule } from './plainRule.ts';

/** x / √(mean x² + ε) */
export const rmsNorm: PlainRule = ({ value, gradientOf }, node, gradient) => {
  const source = operand(node, 0);
  normBack(value(source).data, gradient, node.header.ne[0], floatParameter(node, 0), false, gradientOf(source));
};

/** (x − mean) / √(variance + ε) */
export const norm: PlainRule = ({ value, gradientOf }, node, gradient) => {
  const source = operand(node, 0);
  normBack(value(source).data, gradient, node.header.ne[0], floatParameter(node, 0), true, gradientOf(source));
};

function normBack(
  x: Float64Array,
  gradient: Float64Array,
  width: number,
  epsilon: number,
  centred: boolean,
  result: Float64Array,
): void {
  for (let row = 0; row < x.length; row += width) {
    const values = x.subarray(row, row + width);
    const upstream = gradient.subarray(row, row + width);
    const mean = centred ? average(values) : 0;
    const centre = values.map((entry) => entry - mean);
    const inverse = 1 / Math.sqrt(average(centre.map((entry) => entry * entry)) + epsilon);
    const along = average(centre.map((entry, index) => entry * (upstream[index] as number)));
    const meanUpstream = centred ? average(upstream) : 0;
    centre.forEach((entry, index) => {
      addAt(result, row + index, inverse * ((upstream[index] as number) - meanUpstream - entry * along * inverse * inverse));
    });
  }
}

export function average(values: Float64Array): number {
  return values.reduce((sum, entry) => sum + entry, 0) / values.length;
}

export const softmax: PlainRule = ({ value, gradientOf }, node, gradient) => {
  const y = value(node).data;
  const [width] = node.header.ne;
  const factor = floatParameter(node, 0);
  const result = gradientOf(operand(node, 0));
  for (let row = 0; row < y.length; row += width) {
    let sum = 0;
    for (let index = row; index < row + width; index++) sum += (y[index] as number) * (gradient[index] as number);
    for (let index = row; index < row + width; index++) {
      addAt(result, index, factor * (y[index] as number) * ((gradient[index] as number) - sum));
    }
  }
};

const neox = 2;

/** Pairs of a head's first dimensions turned by position · base^(−2i/n) · scale / factor_i; the derivative turns them back. */
export const rotaryEmbedding: PlainRule = ({ value, gradientOf }, node, gradient) => {
  const [, positions, factors = null] = node.sources;
  if (positions === undefined || positions === null || positions.kind === 'node' || positions.bytes === null) {
    throw new Error('positions are not an input');
  }
  const [dimensions, mode] = [integerParameter(node, 1), integerParameter(node, 2)];
  const [base, scale, extrapolation, magnitude] = [5, 6, 7, 8].map((index) => floatParameter(node, index)) as [
    number,
    number,
    number,
    number,
  ];
  if (extrapolation !== 0) throw new Error('YaRN has no plain form');
  const at = new Int32Array(positions.bytes.slice().buffer);
  const divisors = factors === null ? null : value(factors).data;
  const [width, heads] = node.header.ne;
  const result = gradientOf(operand(node, 0));
  for (let row = 0; row < gradient.length; row += width) {
    const position = at[Math.floor(row / width / heads)] as number;
    for (let pair = 0; pair < dimensions / 2; pair++) {
      const angle = (position * scale * base ** ((-2 * pair) / dimensions)) / (divisors?.[pair] ?? 1);
      const [cosine, sine] = [Math.cos(angle) * magnitude, Math.sin(angle) * magnitude];
      const first = row + (mode === neox ? pair : 2 * pair);
      const second = mode === neox ? first + dimensions / 2 : first + 1;
      const [a, b] = [gradient[first] as number, gradient[second] as number];
      addAt(result, first, a * cosine + b * sine);
      addAt(result, second, b * cosine - a * sine);
    }
    for (let index = row + dimensions; index < row + width; index++) addAt(result, index, gradient[index] as number);
  }
};
