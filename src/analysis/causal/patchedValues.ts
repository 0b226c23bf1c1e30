/** A target on the same tokens under many changes inside the model. */
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model, Patch } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';

export interface PatchedRun {
  readonly model: Model;
  /** The prompt's tokens. */
  readonly ids: Int32Array;
  readonly target: ResolvedTarget;
  readonly signal: AbortSignal;
  readonly onRun?: () => void;
}

/** Runs sent together, and numbers in their patches: a model copies them, and computes what they share once for each such group. */
const groupRuns = 512;
const groupNumbers = 4 * 1024 * 1024;

/**
 * The target's value under each set of patches; an empty set gives the unchanged value. What lies before the first patched position is
 * computed once where the model can keep it.
 * @returns values [sets], in the target's unit, and the forward passes they took: the share of positions that had to be computed
 * @throws E_NUMERIC, and as `Model.forwardVariants`
 */
export async function patchedValues(
  { model, ids, target, signal, onRun }: PatchedRun,
  sets: readonly (readonly Patch[])[],
): Promise<{ readonly values: Float64Array; readonly forwardPasses: number }> {
  const tokens = withContinuation(ids, target.continuation);
  const read = target.reads(ids.length);
  const values = new Float64Array(sets.length);
  // Sets that begin late come first, group by group: each leaves its beginning for the next.
  const order = sets
    .map((_, index) => index)
    .sort((a, b) => beginning(sets[b], tokens.length) - beginning(sets[a], tokens.length));
  let computed = 0;
  for (const part of groups(order, sets)) {
    const results = await model.forwardVariants(
      { variants: part.map((index) => ({ tokens, read, patches: sets[index] ?? [] })) },
      { signal, onResult: () => onRun?.() },
    );
    for (const [place, index] of part.entries()) {
      const value = target.value(results[place]?.read ?? []);
      if (!Number.isFinite(value)) throw numeric('the target under a change');
      values[index] = value;
      const kept = model.info.sharesPatchedBeginnings ? Math.min(tokens.length - 1, beginning(sets[index], tokens.length)) : 0;
      computed += tokens.length - kept;
    }
  }
  return { values, forwardPasses: computed / tokens.length };
}

function groups(order: readonly number[], sets: readonly (readonly Patch[])[]): number[][] {
  const found: number[][] = [];
  let numbers = Infinity;
  for (const index of order) {
    const size = (sets[index] ?? []).reduce(
      (sum, { operation }) => sum + ('values' in operation ? operation.values.length : 0),
      0,
    );
    const last = found.at(-1);
    if (last !== undefined && last.length < groupRuns && numbers + size <= groupNumbers) {
      last.push(index);
      numbers += size;
    } else {
      found.push([index]);
      numbers = size;
    }
  }
  return found;
}

/** The first position a set of patches can change. */
function beginning(set: readonly Patch[] | undefined, length: number): number {
  return (set ?? []).reduce((first, { site, positions = [0], operation }) => {
    const whole = site.kind === 'pattern' || site.kind === 'scores' || operation.kind === 'mean';
    return Math.min(first, whole ? 0 : Math.min(...positions, length));
  }, length);
}
