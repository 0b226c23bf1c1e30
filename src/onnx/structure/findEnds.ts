/** Where a model begins and ends: the embeddings of its tokens, and its answer. */
import { elementTypes, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { inputRole } from '../runtime/feeds.ts';
import type { DataFlow } from './dataFlow.ts';
import { matchShape, rankOf } from './shapes.ts';

export interface Ends {
  /** Name of the input with the token ids. */
  readonly ids: string;
  /** [1, T, D] what the lookup of token ids gives. */
  readonly lookup: string;
  /** Rows of the table. */
  readonly vocabulary: number | null;
  readonly hidden: number;
  readonly output: string;
  readonly kind: 'causal-lm' | 'classifier' | 'sentence-encoder';
}

const lookups = new Set(['Gather', 'com.microsoft:GatherBlockQuantized']);
/** What may stand between the ids and a lookup, or behind the lookup of a quantised table. */
const passages = new Set(['Cast', 'Identity', 'Reshape', 'Unsqueeze', 'Squeeze', 'DequantizeLinear', 'Mul', 'Sub']);

/** Null where there is no lookup of ids from which an answer comes. */
export function findEnds(flow: DataFlow, probe: Probe): Ends | null {
  const { graph } = flow;
  const ids = graph.inputs.find((input) => inputRole(input) === 'ids')?.name;
  if (ids === undefined) return null;
  for (const { lookup, table } of lookupsOf(flow, probe, ids)) {
    const [hidden] = matchShape(probe, lookup, [1, 'tokens', 'any']) ?? [];
    if (hidden === undefined) continue;
    const after = flow.descendants(lookup);
    const answers = graph.outputs
      .map(({ name }) => name)
      .filter((name) => after.has(name) && isFloat(probe, name) && rankOf(probe.facts(name)) <= 3);
    const output = chooseAnswer(probe, answers);
    if (output === null) continue;
    const facts = probe.facts(table);
    const vocabulary = facts === undefined || rankOf(facts) < 2 ? null : (facts.dims[0][0] ?? null);
    return { ids, lookup, vocabulary, hidden, output, kind: kindOf(probe, output, hidden) };
  }
  return null;
}

function lookupsOf(flow: DataFlow, probe: Probe, ids: string): { readonly lookup: string; readonly table: string }[] {
  const found: { readonly lookup: string; readonly table: string }[] = [];
  const fromIds = new Map([[ids, '']]);
  for (const node of flow.graph.nodes) {
    const source = node.inputs.find((input) => fromIds.has(input));
    const [output = ''] = node.outputs;
    if (source === undefined) continue;
    const key = operatorKey(node);
    const [data = '', index = ''] = node.inputs;
    const isLookup = lookups.has(key) && fromIds.has(index) && !fromIds.has(data);
    if (!isLookup && !passages.has(key)) continue;
    const table = isLookup ? data : (fromIds.get(source) ?? '');
    // Of a quantised table the numbers come first, and the floats a few steps later.
    if (isFloat(probe, output) && rankOf(probe.facts(output)) === 3 && table !== '') found.push({ lookup: output, table });
    else fromIds.set(output, table);
  }
  return found;
}

function chooseAnswer(probe: Probe, answers: readonly string[]): string | null {
  const named = (pattern: RegExp) => answers.find((name) => pattern.test(name));
  const width = (name: string) => probe.facts(name)?.dims[0].at(-1) ?? 0;
  const widest = [...answers].sort((a, b) => width(b) - width(a))[0];
  return named(/logits/i) ?? named(/sentence_embedding/i) ?? named(/last_hidden_state|token_embeddings/i) ?? widest ?? null;
}

function kindOf(probe: Probe, output: string, hidden: number): Ends['kind'] {
  if (/sentence_embedding|last_hidden_state|token_embeddings/i.test(output)) return 'sentence-encoder';
  const width = matchShape(probe, output, [1, 'tokens', 'any'])?.[0];
  if (width === undefined) return 'classifier';
  return width === hidden && !/logits/i.test(output) ? 'sentence-encoder' : 'causal-lm';
}

function isFloat(probe: Probe, tensor: string): boolean {
  return probe.facts(tensor)?.type === elementTypes.float32;
}
