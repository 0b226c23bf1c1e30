import type { OnnxGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { dataFromBytes } from '../runtime/tensorValue.ts';
import { clampToSafe } from '../proto/fields.ts';

/** What decides which nodes of a graph run. */
export interface Known {
  readonly graph: OnnxGraph;
  readonly probe: Probe | null;
  /** Tensors that depend on the content of the inputs: equal values in both probe runs prove nothing. */
  readonly fromData: ReadonlySet<string>;
}

/** The number that a tensor of one number holds for every prompt; booleans are 0 and 1. Null: it holds more, or depends on the prompt. */
export function knownValue({ graph, probe, fromData }: Known, tensor: string): number | null {
  const constant = graph.initializers.get(tensor);
  if (constant !== undefined) {
    const data = constant.bytes === null ? null : dataFromBytes(constant.type, constant.bytes);
    const [value] = data ?? [];
    if (data === null || data.length !== 1 || value === undefined) return null;
    return typeof value === 'bigint' ? clampToSafe(value) : value;
  }
  const values = fromData.has(tensor) ? null : probe?.facts(tensor)?.values;
  if (values === undefined || values === null) return null;
  const [first, second] = values;
  return first.length === 1 && first[0] === second[0] ? (first[0] ?? null) : null;
}
