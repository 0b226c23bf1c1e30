import type { GradientTarget, TargetTerm } from '../../src/model/gradient.ts';

export interface TargetOnLogits {
  readonly value: number;
  /** d value / d logits of a position, [V], for the positions that the target reads. */
  readonly rows: ReadonlyMap<number, Float64Array>;
}

/** The plain meaning of a gradient target that is made of terms: its value and derivative, from whole rows of logits, in doubles. */
export function targetOnLogits(target: GradientTarget, logitsAt: (position: number) => Float64Array): TargetOnLogits {
  if (!('terms' in target)) throw new Error(`no reference for a target of kind ${target.kind}`);
  const rows = new Map<number, Float64Array>();
  let sum = 0;
  for (const { position, id, weight } of target.terms) {
    const logits = logitsAt(position);
    const { value, derivative } = term(target.kind, logits, id);
    sum += weight * value;
    const row = rows.get(position) ?? new Float64Array(logits.length);
    derivative.forEach((part, of) => {
      row[of] = (row[of] ?? 0) + weight * part;
    });
    rows.set(position, row);
  }
  if (target.kind !== 'joint-probability') return { value: sum, rows };
  const value = Math.exp(sum);
  return { value, rows: new Map([...rows].map(([position, row]) => [position, row.map((part) => part * value)])) };
}

function term(kind: GradientTarget['kind'], logits: Float64Array, id: TargetTerm['id']) {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  const probabilities = logits.map((logit) => Math.exp(logit - largest) / total);
  const one = (of: number): number => (of === id ? 1 : 0);
  const logit = logits[id] ?? Number.NaN;
  if (kind === 'logit') return { value: logit, derivative: logits.map((_, of) => one(of)) };
  const slope = probabilities.map((probability, of) => one(of) - probability);
  const probability = probabilities[id] ?? Number.NaN;
  if (kind === 'probability') return { value: probability, derivative: slope.map((part) => probability * part) };
  return { value: Math.log(probability), derivative: slope };
}
