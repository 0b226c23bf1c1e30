import type { CaptureRequest, ForwardResult, Patch, Tensor } from '../../model/model.ts';
import { type Site, siteName } from '../../model/sites.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import { wholeSequence } from '../gradient/promptGradient.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';

/** How far each token's vector, leaving a layer, turns when one token's values are missing there. */
export interface ContextMixing {
  /** [layers][query, key]: rows add up to 1, keys behind the query have 0. */
  readonly layers: readonly Float64Array[];
  readonly forwardPasses: number;
}

/**
 * Value zeroing (Mohebbi et al. 2023, arXiv 2301.12971, section 3): 1 − cos(x, x without the values of the key), x the query's vector
 * behind the block, each block fed with what enters it in the unchanged run; turned negative by rounding counts as 0, and rows are
 * normalised. One pass serves all blocks of a key: each block's input is put back to the unchanged one.
 * @param keys tokens to take away, each alone; the others get 0
 * @throws E_NUMERIC, E_SITE_UNKNOWN, and as `Model.forward`
 */
export async function contextMixing(
  input: Pick<AttributionInput, 'model' | 'tokens' | 'target'>,
  keys: readonly number[],
  { signal, onProgress }: AttributionOptions = {},
): Promise<ContextMixing> {
  const { model } = input;
  const { hidden } = model.info;
  const tokens = wholeSequence(input);
  const size = tokens.length;
  const depth = Array.from({ length: model.info.layers }, (_, layer) => layer);
  const run = (sites: readonly Site[], patches: readonly Patch[]) => {
    const capture = sites.map((site): CaptureRequest => ({ site }));
    return model.forward({ tokens, capture, patches }, signal === undefined ? {} : { signal });
  };
  const parts = depth.flatMap((layer): Site[] => [
    { kind: 'resid_mid', layer },
    { kind: 'mlp_out', layer },
  ]);
  const plain = await run([...depth.map((layer): Site => ({ kind: 'resid_pre', layer })), ...parts], []);
  const restore = depth.map((layer): Patch => {
    const site: Site = { kind: 'resid_pre', layer };
    return { site, operation: { kind: 'overwrite', values: captured(plain, site).data } };
  });
  const unchanged = depth.map((layer) => leaving(plain, layer));
  const layers = depth.map(() => new Float64Array(size * size));
  for (const [done, key] of keys.entries()) {
    const zero = depth.map((layer): Patch => ({ site: { kind: 'v', layer }, positions: [key], operation: { kind: 'zero' } }));
    const changed = await run(parts, [...restore, ...zero]);
    for (const layer of depth) {
      const [before, after] = [unchanged[layer] as Float32Array, leaving(changed, layer)];
      for (let query = key; query < size; query++) {
        const at = query * hidden;
        const turn = 1 - cosine(before.subarray(at, at + hidden), after.subarray(at, at + hidden));
        (layers[layer] as Float64Array)[query * size + key] = Math.max(0, turn);
      }
    }
    onProgress?.(done + 1, keys.length);
  }
  for (const layer of layers) normaliseRows(layer, size);
  return { layers, forwardPasses: 1 + keys.length };
}

/** What leaves a block: its two parts are added here, because the sum's own place is where the next block's input is put back. */
function leaving(result: ForwardResult, layer: number): Float32Array {
  const mlp = captured(result, { kind: 'mlp_out', layer }).data;
  return captured(result, { kind: 'resid_mid', layer }).data.map((value, index) => value + (mlp[index] as number));
}

function captured({ captured: tensors, nonFinite }: ForwardResult, site: Site): Tensor {
  if (nonFinite !== null) throw numeric(nonFinite);
  const tensor = tensors.get(siteName(site));
  if (tensor === undefined) throw siteUnknown(siteName(site), 'the model did not give it', [...tensors.keys()]);
  return tensor;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let together = 0;
  let [sizeA, sizeB] = [0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index] as number, b[index] as number];
    together += x * y;
    sizeA += x * x;
    sizeB += y * y;
  }
  return together / Math.sqrt(sizeA * sizeB || 1);
}

/** A row of zeros keeps what it has: it stays with its own token. */
function normaliseRows(matrix: Float64Array, size: number): void {
  for (let query = 0; query < size; query++) {
    const row = matrix.subarray(query * size, (query + 1) * size);
    const total = row.reduce((sum, value) => sum + value, 0);
    if (total > 0) row.forEach((value, key) => (row[key] = value / total));
    else row[query] = 1;
  }
}
