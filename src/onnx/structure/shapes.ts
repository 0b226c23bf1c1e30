import type { Probe, TensorFacts } from '../graph/probe.ts';

/** A size in a pattern of shapes: a number, the prompt's length, or any fixed size. */
export type SizePattern = number | 'tokens' | 'any';

/** Sizes of the fixed axes of a tensor whose shape fits the pattern, or null. */
export function matchShape(probe: Probe, tensor: string, pattern: readonly SizePattern[]): number[] | null {
  const facts = probe.facts(tensor);
  if (facts === undefined) return null;
  const [first, second] = facts.dims;
  if (first.length !== pattern.length || second.length !== pattern.length) return null;
  const sizes: number[] = [];
  for (const [axis, wanted] of pattern.entries()) {
    const [a = -1, b = -1] = [first[axis], second[axis]];
    if (wanted === 'tokens') {
      if (a !== probe.lengths[0] || b !== probe.lengths[1]) return null;
    } else {
      if (a !== b || (wanted !== 'any' && a !== wanted)) return null;
      if (wanted === 'any') sizes.push(a);
    }
  }
  return sizes;
}

export function rankOf(facts: TensorFacts | undefined): number {
  return facts?.dims[0].length ?? 0;
}
