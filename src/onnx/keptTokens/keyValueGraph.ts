import type { OnnxGraph } from '../graph/graph.ts';
import { selectRows } from '../evaluation/selectRows.ts';
import { type KeyValueNames, keyValueNames } from './keyValueNames.ts';

/** The graph as the file has it: it takes the keys and values of earlier tokens, and gives on those of all. */
export interface KeyValueGraph {
  readonly graph: OnnxGraph;
  /** [1, rows, V] */
  readonly logits: string;
  readonly names: readonly KeyValueNames[];
  /** Whether it computes logits only of the positions in `rowsInput`; else of every token it is given. */
  readonly selectsRows: boolean;
}

/**
 * @param graph as read from the file; changed where it can compute logits of asked positions only
 * @param finalNorm the tensor behind the last norm, where it is known; opening a graph up leaves its name as it is
 * @returns null for a file that takes no keys and values
 */
export function keyValueGraph(graph: OnnxGraph, logits: string, finalNorm: string | null): KeyValueGraph | null {
  const names = keyValueNames(graph);
  if (names === null) return null;
  const selectsRows = finalNorm !== null && selectRows(graph, finalNorm, logits) !== null;
  return { graph, logits, names, selectsRows };
}
