import type { Probe, TensorFacts } from './probe.ts';

/**
 * Facts of every tensor at one prompt length, from runs at two others: sizes are linear in the length, and so are small whole
 * numbers (sizes computed in the graph). What is not linear in both runs is given without its values.
 * @param others facts that stand before the probe's own, by name
 */
export function staticProbe(probe: Probe, length: number, others: ReadonlyMap<string, TensorFacts> = new Map()): Probe {
  const known = new Map<string, TensorFacts | undefined>();
  const at = ([a, b]: readonly [readonly number[], readonly number[]]): number[] | null => {
    if (a.length !== b.length) return null;
    const [first, second] = probe.lengths;
    const values = a.map((value, i) => value + ((length - first) * ((b[i] as number) - value)) / (second - first));
    return values.every(Number.isInteger) ? values : null;
  };
  return {
    lengths: [length, length],
    facts(tensor) {
      if (!known.has(tensor)) known.set(tensor, others.get(tensor) ?? single(probe.facts(tensor), at));
      return known.get(tensor);
    },
  };
}

function single(
  facts: TensorFacts | undefined,
  at: (pair: readonly [readonly number[], readonly number[]]) => number[] | null,
): TensorFacts | undefined {
  const dims = facts === undefined ? null : at(facts.dims);
  if (facts === undefined || dims === null) return undefined;
  const values = facts.values === null ? null : at(facts.values);
  return { type: facts.type, dims: [dims, dims], values: values === null ? null : [values, values] };
}
