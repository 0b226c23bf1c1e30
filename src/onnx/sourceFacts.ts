import { keyValueNames } from './keptTokens/keyValueNames.ts';
import type { OnnxGraph, SubGraph } from './graph/graph.ts';
import { tokenInput } from './runtime/feeds.ts';

/** What of a file's own graph is gone once it was opened up. */
export interface SourceFacts {
  /** Those of branches and bodies included. */
  readonly nodes: number;
  /** Sequences it reads at once; null: any number. */
  readonly fixedBatch: number | null;
  /** Whether text is written with keys and values of the tokens before. */
  readonly takesKeyValues: boolean;
}

/** To be asked before the graph is rewritten. */
export function sourceFacts(graph: OnnxGraph): SourceFacts {
  const ids = tokenInput(graph.inputs);
  const [rows] = ids?.dims ?? [];
  return {
    nodes: countNodes(graph),
    fixedBatch: typeof rows === 'number' && (ids?.dims?.length ?? 0) > 1 ? rows : null,
    takesKeyValues: keyValueNames(graph) !== null,
  };
}

function countNodes({ nodes }: SubGraph): number {
  const inside = nodes.flatMap(({ attributes }) => [...attributes.values()]);
  return inside.reduce((sum, { kind, value }) => (kind === 'graph' ? sum + countNodes(value) : sum), nodes.length);
}
