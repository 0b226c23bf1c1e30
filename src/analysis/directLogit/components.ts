import type { LogitParts } from '../../attribution/flow/logitParts.ts';
import { added } from '../../attribution/flow/logitParts.ts';

/** Something that writes into the residual stream, and its part of the target. */
export interface Component {
  readonly label: string;
  readonly value: number;
  readonly layer?: number;
  /** Absent: an MLP. */
  readonly head?: number;
}

/** Every head and every MLP, strongest first; of equal ones the earlier. */
export function rankedComponents({ heads, mlps }: Pick<LogitParts, 'heads' | 'mlps'>): Component[] {
  const all = mlps.flatMap((mlp, layer): Component[] => [
    ...(heads[layer] ?? []).map((value, head) => ({ label: `L${layer}.H${head}`, value, layer, head })),
    { label: `L${layer} MLP`, value: mlp, layer },
  ]);
  return all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/**
 * The target from the bottom up: embedding, the `count` strongest parts, what all others add, biases, and what rounding leaves open.
 * Adds up to `expected` exactly.
 */
export function waterfall(parts: LogitParts, count: number): Component[] {
  const ranked = rankedComponents(parts);
  const [strong, rest] = [ranked.slice(0, count), ranked.slice(count)];
  const sumOf = (of: readonly Component[]) => added(of.map(({ value }) => value));
  const isHead = ({ head }: Component) => head !== undefined;
  const others: Component[] = [
    { label: `${rest.filter(isHead).length} other heads`, value: sumOf(rest.filter(isHead)) },
    { label: `${rest.filter((part) => !isHead(part)).length} other MLPs`, value: sumOf(rest.filter((part) => !isHead(part))) },
    { label: 'attention biases, rounding', value: added(parts.attentionBiases) },
    { label: 'bias of the last norm', value: parts.normBias },
    { label: 'rounding', value: parts.expected - parts.sum },
  ];
  return [{ label: 'embedding', value: added(parts.embedding) }, ...strong, ...others.filter(({ value }) => value !== 0)];
}
