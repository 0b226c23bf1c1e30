import { operand } from '../tape/tape.ts';
import { addAt, type PlainRule } from './plainRule.ts';

/** c[i, j] = Σ a[l, i] b[l, j]; a is shared by groups of b's matrices. */
export const matrixProduct: PlainRule = ({ value, needs, gradientOf }, node, gradient) => {
  const [first, second] = [operand(node, 0), operand(node, 1)];
  const [a, b] = [value(first), value(second)];
  const [k, m] = a.ne;
  const [, n, matrices, batches] = b.ne;
  const toFirst = needs(first) ? gradientOf(first) : null;
  const toSecond = needs(second) ? gradientOf(second) : null;
  for (let batch = 0; batch < batches; batch++) {
    for (let matrix = 0; matrix < matrices; matrix++) {
      const shared = Math.floor(matrix / (matrices / a.ne[2])) + a.ne[2] * Math.floor(batch / (batches / a.ne[3]));
      const [startA, startB] = [shared * k * m, (matrix + matrices * batch) * k * n];
      const startC = (matrix + matrices * batch) * m * n;
      for (let j = 0; j < n; j++) {
        for (let i = 0; i < m; i++) {
          const upstream = gradient[startC + j * m + i] as number;
          if (upstream === 0) continue;
          for (let l = 0; l < k; l++) {
            if (toFirst !== null) addAt(toFirst, startA + i * k + l, upstream * (b.data[startB + j * k + l] as number));
            if (toSecond !== null) addAt(toSecond, startB + j * k + l, upstream * (a.data[startA + i * k + l] as number));
          }
        }
      }
    }
  }
};

/** c[i, slot, t] = Σ a[l, i, expert(slot, t)] x[l, slot or 0, t] */
export const expertProduct: PlainRule = ({ value, needs, gradientOf }, node, gradient) => {
  const [weights, input, ids] = [operand(node, 0), operand(node, 1), operand(node, 2)];
  if (!needs(input)) return;
  const [a, x, experts] = [value(weights), value(input), value(ids)];
  const [k, m] = a.ne;
  const [, slots, tokens] = node.header.ne;
  const result = gradientOf(input);
  for (let token = 0; token < tokens; token++) {
    for (let slot = 0; slot < slots; slot++) {
      const expert = experts.data[token * experts.ne[0] + slot] as number;
      const row = (token * x.ne[1] + (slot % x.ne[1])) * k;
      for (let i = 0; i < m; i++) {
        const upstream = gradient[(token * slots + slot) * m + i] as number;
        for (let l = 0; l < k; l++) addAt(result, row + l, upstream * (a.data[(expert * m + i) * k + l] as number));
      }
    }
  }
};
