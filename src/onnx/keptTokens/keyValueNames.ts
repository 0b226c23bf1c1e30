import type { OnnxGraph } from '../graph/graph.ts';
import { inputRole } from '../runtime/feeds.ts';

/** An input that takes the keys or values of earlier tokens, and the output that gives them on. */
export interface KeyValueNames {
  readonly past: string;
  readonly present: string;
  readonly layer: number;
}

/** Null for a file that takes none, or whose outputs do not match. */
export function keyValueNames({ inputs, outputs }: OnnxGraph): readonly KeyValueNames[] | null {
  const past = inputs.filter((input) => inputRole(input) === 'past');
  if (past.length === 0) return null;
  const byPlace = new Map(outputs.map(({ name }) => [placeOf(name), name]));
  const pairs = past.flatMap(({ name }) => {
    const place = placeOf(name);
    const present = place === null ? undefined : byPlace.get(place);
    return place === null || present === undefined ? [] : [{ past: name, present, layer: Number.parseInt(place, 10) }];
  });
  return pairs.length === past.length ? pairs : null;
}

/** `present.3.key` and `past_key_values.3.key` are one place. */
function placeOf(name: string): string | null {
  const layer = /\d+/.exec(name)?.[0];
  const kind = /(key|value)(?!s)|(?<=[._])[kv]$/.exec(name.toLowerCase().replace('key_values', ''))?.[0];
  return layer === undefined || kind === undefined ? null : `${Number(layer)}.${kind.charAt(0)}`;
}
