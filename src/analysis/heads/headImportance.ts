import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import { finiteTensor } from '../../attribution/gradient/promptGradient.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model, Tensor } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { callOptions } from '../activations/captureSites.ts';

/** Floats of z and of its gradient held at once. */
const heldFloats = 64 * 1024 * 1024;

/**
 * How much of the target hangs on each head, to first order: Σ pattern · ∂f/∂pattern over all queries and keys, which is the derivative
 * by a factor on the head (Michel et al. 2019, arXiv 1905.10650) and equals Σ z · ∂f/∂z, so the smaller tensor is used. Signed: positive
 * heads speak for the target. One forward and one backward pass for all layers that fit.
 * @returns [L][H], in the target's unit, and what it cost in forward passes
 * @throws as `Model.gradient`, E_NUMERIC
 */
export async function importanceByGradient(
  model: Model,
  ids: Int32Array,
  target: ResolvedTarget,
  signal?: AbortSignal,
): Promise<{ readonly importance: number[][]; readonly forwardPasses: number }> {
  const { layers, heads, headSize } = model.info;
  const tokens = withContinuation(ids, target.continuation);
  const perPass = Math.max(1, Math.floor(heldFloats / (2 * tokens.length * heads * headSize)));
  const importance: number[][] = [];
  let forwardPasses = 0;
  for (let first = 0; first < layers; first += perPass) {
    const sites = Array.from(
      { length: Math.min(perPass, layers - first) },
      (_, index): Site => ({ kind: 'z', layer: first + index }),
    );
    const result = await model.gradient(
      { tokens, targets: [target.gradient(ids.length)], at: sites, capture: sites },
      callOptions(signal),
    );
    const gradients = result.targets[0]?.gradients ?? new Map<string, Tensor>();
    for (const site of sites) {
      const z = finiteTensor(result.captured, site, '').data;
      const slope = finiteTensor(gradients, site, 'the gradient at ').data;
      const sums = new Array<number>(heads).fill(0);
      for (let at = 0; at < z.length; at++) {
        const head = Math.floor(at / headSize) % heads;
        sums[head] = (sums[head] as number) + (z[at] as number) * (slope[at] as number);
      }
      importance.push(sums);
    }
    forwardPasses += 3;
  }
  return { importance, forwardPasses };
}

/**
 * The same by experiment: the target with each head's output set to 0, one forward pass a head.
 * @returns [L][H] target − target without the head, in its unit
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function importanceByAblation(
  model: Model,
  ids: Int32Array,
  target: ResolvedTarget,
  options: { readonly signal?: AbortSignal; readonly onHead?: (done: number, total: number) => void } = {},
): Promise<number[][]> {
  const { layers, heads } = model.info;
  const tokens = withContinuation(ids, target.continuation);
  const valueOf = async (patches: Parameters<Model['forward']>[0]['patches'] = []) => {
    const { read, nonFinite } = await model.forward(
      { tokens, read: target.reads(ids.length), patches },
      callOptions(options.signal),
    );
    const value = target.value(read);
    if (nonFinite !== null || !Number.isFinite(value)) throw numeric(nonFinite ?? 'the target');
    return value;
  };
  const clean = await valueOf();
  const effects: number[][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const row: number[] = [];
    for (let head = 0; head < heads; head++) {
      row.push(clean - (await valueOf([{ site: { kind: 'z', layer }, heads: [head], operation: { kind: 'zero' } }])));
      options.onHead?.(layer * heads + head + 1, layers * heads);
    }
    effects.push(row);
  }
  return effects;
}
