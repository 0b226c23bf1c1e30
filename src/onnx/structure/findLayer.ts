import type { Probe } from '../graph/probe.ts';
import type { DataFlow } from './dataFlow.ts';
import type { Cut } from './findCuts.ts';
import { projectionInput, projectionsBetween } from './projection.ts';

/** Sites of one layer on and beside the residual stream, all [batch, tokens, hidden] but the neurons. */
export interface ResidualSites {
  readonly residPre: string | null;
  readonly attnOut: string | null;
  /** Null where attention and feed-forward block read the same stream (GPT-NeoX). */
  readonly residMid: string | null;
  /** Neurons: what the last projection of the feed-forward block reads [batch, tokens, neurons]. */
  readonly mlpPost: string | null;
  readonly mlpOut: string | null;
  readonly residPost: string | null;
}

interface LayerPlace {
  readonly flow: DataFlow;
  readonly probe: Probe;
  readonly inside: ReadonlySet<string>;
  readonly cuts: readonly Cut[];
  /** Places of this layer's softmax and of the next one's. */
  readonly softmax: number;
  readonly next: number;
  readonly isPostNorm: boolean;
  readonly probabilities: string;
}

export function findLayer(place: LayerPlace): ResidualSites {
  const { flow, probe, inside, cuts, softmax, next, isPostNorm, probabilities } = place;
  const residPre = cuts.findLast(({ position }) => position < softmax)?.tensor ?? null;
  const own = cuts.filter(({ position }) => position > softmax && position < next);
  const [first, second] = own.filter(({ isSum }) => isSum);
  const neurons = (mlpOut: string | null) => (mlpOut === null ? null : projectionInput(flow, probe, mlpOut, inside));
  if (residPre === null || first === undefined)
    return { residPre, attnOut: null, residMid: null, mlpPost: null, mlpOut: null, residPost: null };
  if (second === undefined) return parallelLayer();

  const residMid = isPostNorm ? (own.findLast(({ position }) => position < second.position)?.tensor ?? null) : first.tensor;
  const mlpOut = residMid === null ? null : otherTerm(flow, second.tensor, residMid);
  return {
    residPre,
    attnOut: otherTerm(flow, first.tensor, residPre),
    residMid,
    mlpPost: neurons(mlpOut),
    mlpOut,
    residPost: behindLayer(second.tensor),
  };

  /** A layer that ends in a norm ends behind it. */
  function behindLayer(sum: string | undefined): string | null {
    return (isPostNorm ? own.at(-1)?.tensor : sum) ?? null;
  }

  /** Where nothing else is added, feed-forward blocks may stand behind attention in the same branch (MobileBERT): then none of it is attention's alone. */
  function attentionAlone(branches: readonly string[], hasOthers: boolean, fromAttention: ReadonlySet<string>): string | null {
    const [branch = null, ...more] = branches;
    if (branch === null || more.length > 0) return null;
    return hasOthers || projectionsBetween(flow, fromAttention, branch, inside) <= 1 ? branch : null;
  }

  /** x + attention(x) + feedForward(x), summed in any order. */
  function parallelLayer(): ResidualSites {
    const terms = sumTerms(flow, first?.tensor ?? '', inside, residPre ?? '');
    const fromAttention = flow.after(probabilities);
    const branches = terms.filter((name) => name !== residPre);
    const attention = branches.filter((name) => fromAttention.has(name));
    const others = branches.filter((name) => !fromAttention.has(name));
    const mlpOut = others.length === 1 ? (others[0] ?? null) : null;
    return {
      residPre,
      attnOut: attentionAlone(attention, others.length > 0, fromAttention),
      residMid: null,
      mlpPost: neurons(mlpOut),
      mlpOut,
      residPost: behindLayer(first?.tensor),
    };
  }
}

/** The other term of the sum of two that makes a tensor; null when the first is not one of them. */
function otherTerm(flow: DataFlow, sum: string, term: string): string | null {
  const inputs = flow.producer(sum)?.inputs ?? [];
  if (!inputs.includes(term)) return null;
  return inputs.find((name) => name !== term) ?? null;
}

/** No layer nests its sums deeper. */
const deepestSum = 16;

/** Terms of nested additions of tensors that depend on the tokens; a bias stays with its term. `stop` is a term though it is a sum. */
function sumTerms(flow: DataFlow, sum: string, inside: ReadonlySet<string>, stop: string, depth = 0): string[] {
  const node = sum === stop || depth > deepestSum ? null : flow.producer(sum);
  if (node?.op !== 'Add' || !node.inputs.every((name) => inside.has(name))) return [sum];
  return node.inputs.flatMap((name) => sumTerms(flow, name, inside, stop, depth + 1));
}
