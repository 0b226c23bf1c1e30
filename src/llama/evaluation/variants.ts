/**
 * Many sequences that share beginnings. They are visited in the order of a depth-first walk through the tree of their
 * prefixes, so that each distinct prefix is evaluated about once, and only the part behind what the cache still holds is computed. The
 * walk begins at what an earlier request left in the cache: a prompt that was just read is not read again. Patched passes over the same
 * tokens begin at the first layer that their patches change.
 */
import type { Patch, RowResult, VariantResult, VariantsRequest } from '../../model/model.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { checkReads, checkTokens } from '../../model/runtime/checkRequest.ts';
import { prefixOrder, sharedLength } from '../../model/prefixOrder.ts';
import { resolvePatch } from '../../model/runtime/resolveSite.ts';
import { vectorShape } from '../graph/siteTable.ts';
import { SiteObserver } from '../sites/siteObserver.ts';
import type { LlamaContext } from './context.ts';
import { type Evaluator, outputRows, RowReader } from './forward.ts';
import { SkippingObserver } from './skippingObserver.ts';
import { firstPatched, type Restart, Trunk } from './trunk.ts';

type Variant = VariantsRequest['variants'][number];

/** Whether computing a part (a suffix, the layers above one) gives the same bits as the whole on this machine; found out once per model. */
export type PrefixReuse = 'unknown' | 'exact' | 'inexact';

/** @throws as `forward` */
export async function forwardVariants(
  evaluator: Evaluator,
  { variants }: VariantsRequest,
  cancellation: Cancellation,
  onResult: (index: number, result: VariantResult) => void,
): Promise<VariantResult[]> {
  for (const { tokens, read, patches = [] } of variants) {
    checkTokens(tokens, evaluator.info);
    checkReads(read, tokens.length, evaluator.info);
    for (const patch of patches) resolvePatch(patch, evaluator.sites, evaluator.info, tokens.length, vectorShape);
  }
  cancellation.check();
  const results = new Array<VariantResult>(variants.length);
  if (variants.length === 0) return results;
  const context = evaluator.contexts.resume(Math.max(...variants.map(({ tokens }) => tokens.length)));
  context.shouldStop = cancellation.requested;
  const order = prefixOrder(
    variants.map(({ tokens }) => tokens),
    context.held,
  );
  // Of patched sequences those first whose beginning stays as it was for longest: each leaves it in the cache for the next.
  order.sort((a, b) => keptBeginning(variants[b] as Variant) - keptBeginning(variants[a] as Variant));
  const trunk = evaluator.layerReuse === 'inexact' ? null : Trunk.grow(evaluator, context, variants);
  await cancellation.breathe();
  for (const index of order) {
    const variant = variants[index] as Variant;
    const split = evaluator.prefixReuse === 'inexact' ? 0 : splitPoint(context.held, variant);
    const isPrefixNew = split > 0 && evaluator.prefixReuse === 'unknown';
    const restart = isPrefixNew || evaluator.layerReuse === 'inexact' ? null : (trunk?.restart(variant) ?? null);
    const isRestartNew = restart !== null && evaluator.layerReuse === 'unknown';
    let result = evaluate(evaluator, context, variant, split, restart);
    if (isPrefixNew || isRestartNew) {
      const whole = evaluate(evaluator, context, variant, 0, null);
      const found = sameBits(result.read, whole.read) ? 'exact' : 'inexact';
      if (isPrefixNew) evaluator.prefixReuse = found;
      else evaluator.layerReuse = found;
      result = whole;
    }
    results[index] = result;
    onResult(index, result);
    await cancellation.breathe();
  }
  return results;
}

/** Tokens whose computation patches leave as it is; without patches as many as any other sequence has, so that their order stays. */
function keptBeginning(variant: Variant): number {
  return (variant.patches ?? []).length === 0 ? Number.MAX_SAFE_INTEGER : firstPatched(variant);
}

function evaluate(
  evaluator: Evaluator,
  context: LlamaContext,
  variant: Variant,
  split: number,
  restart: Restart | null,
): VariantResult {
  const { tokens, read } = variant;
  const sites = observe(evaluator, variant, split, restart);
  const wanted =
    sites?.needsAllRows === true
      ? Array.from({ length: tokens.length - split }, (_, index) => split + index)
      : read.map(({ position }) => position);
  const outputs = outputRows(wanted, tokens.length).map((position) => position - split);
  const skipping = sites === null || restart === null ? null : new SkippingObserver(sites, restart.point.site.node.index);
  const observer = skipping ?? sites;
  try {
    context.decode({ tokens: tokens.subarray(split), from: split, outputs, ...(observer === null ? {} : { observer }) });
  } finally {
    skipping?.restore();
  }
  const rows = new RowReader(context, split);
  const result = { read: rows.summarise(read) };
  // A NaN left in the cache would spoil whatever is evaluated next to it.
  if (!rows.finite) context.clear(true);
  // A patch reaches no position before its own, so what lies before it is as any evaluation would leave it; layers that were not
  // computed left nothing at all.
  else if (observer !== null) context.truncate(restart === null ? firstPatched(variant) : split);
  return result;
}

function observe(
  { native, sites, info }: Evaluator,
  { tokens, patches = [] }: Variant,
  split: number,
  restart: Restart | null,
): SiteObserver | null {
  const shifted = (restart?.patches ?? patches).map(({ positions, ...patch }): Patch => {
    return { ...patch, ...(positions === undefined ? {} : { positions: positions.map((position) => position - split) }) };
  });
  if (restart !== null) {
    const { point, stream } = restart;
    const values = stream.subarray((split * stream.length) / tokens.length);
    // Before the patches of the same node.
    shifted.unshift({ site: { kind: 'resid_pre', layer: point.layer }, operation: { kind: 'overwrite', values } });
  }
  if (shifted.length === 0) return null;
  return new SiteObserver(native.functions, sites, info, { captures: [], patches: shifted, tokens: tokens.length - split });
}

/**
 * From where `variant` must be computed when the cache holds `cached`: not behind the first row that is read, and such that
 * the suffix meets the same kernels as the whole sequence: at least two tokens (one token alone takes a vector kernel),
 * and an even number left away (kernels that take rows in pairs).
 */
export function splitPoint(cached: Int32Array, variant: Variant): number {
  const { tokens, read } = variant;
  const shared = sharedLength(tokens, cached);
  const firstRead = Math.min(tokens.length - 1, ...read.map(({ position }) => position));
  const split = Math.min(shared, firstRead, firstPatched(variant), tokens.length - 2);
  return split > 0 ? split - (split % 2) : 0;
}

function sameBits(a: readonly RowResult[], b: readonly RowResult[]): boolean {
  return a.every((row, index) => {
    const other = b[index] as RowResult;
    return Object.is(row.logSumExp, other.logSumExp) && row.logits.every((value, id) => Object.is(value, other.logits[id]));
  });
}
