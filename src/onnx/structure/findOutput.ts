import { elementTypes, type OnnxGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { inputRole } from '../runtime/feeds.ts';

export type ModelKind = 'causal-lm' | 'classifier' | 'sentence-encoder' | 'unknown';

interface FoundOutput {
  readonly kind: ModelKind;
  readonly output: string | null;
  readonly note: string | null;
}

/**
 * Tells by the shapes of its outputs what a model is for.
 * @param reached tensors that depend on the embedding
 * @param hidden width of the residual stream
 * @param rows rows of its table
 */
export function findOutput(
  graph: OnnxGraph,
  probe: Probe,
  reached: ReadonlySet<string>,
  hidden: number | null,
  rows: number | null,
): FoundOutput {
  const outputs = graph.outputs.flatMap(({ name }) => {
    const facts = probe.facts(name);
    if (!reached.has(name) || facts?.type !== elementTypes.float32) return [];
    const [shape] = facts.dims;
    return [{ name, rank: shape.length, width: shape.at(-1) ?? 0, perToken: shape.at(-2) === probe.lengths[0] }];
  });
  const perToken = outputs.filter(({ rank, perToken: isPerToken }) => rank === 3 && isPerToken);
  const perText = outputs.filter(({ rank }) => rank === 2);
  const vocabulary = perToken.find(({ width }) => width !== hidden && (rows === null || width >= rows / 2));
  if (vocabulary !== undefined) {
    // Models that read segments see both sides of a token: they fill gaps and do not continue a text.
    if (!graph.inputs.some((input) => inputRole(input) === 'segment'))
      return { kind: 'causal-lm', output: vocabulary.name, note: null };
    return { kind: 'unknown', output: vocabulary.name, note: 'it predicts masked tokens, not the next one' };
  }
  const classes = perText.find(({ width }) => width !== hidden);
  const states = perToken.find(({ width }) => width === hidden);
  if (classes !== undefined && states === undefined) return { kind: 'classifier', output: classes.name, note: null };
  const vector = perText.find(({ width }) => width === hidden) ?? classes;
  // Hidden states are the vector before pooling; an own pooled vector is what the model was trained for, except BERT's pooler.
  if (states !== undefined && (vector === undefined || /pooler/i.test(vector.name))) {
    return { kind: 'sentence-encoder', output: states.name, note: null };
  }
  if (vector !== undefined) return { kind: 'sentence-encoder', output: vector.name, note: null };
  const [other] = perToken;
  return {
    kind: 'unknown',
    output: other?.name ?? null,
    note: 'no output has the shape of logits, of classes or of a sentence vector',
  };
}
