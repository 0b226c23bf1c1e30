import type { Model } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { captureSites } from '../activations/captureSites.ts';
import { writeThrough } from '../activations/writeThrough.ts';

/** Sites a lens reads directly. */
export const streamSites = ['resid_post', 'resid_mid', 'resid_pre', 'attn_out', 'mlp_out'] as const;
export type StreamSite = (typeof streamSites)[number];

/** One row of the lens's picture: a layer, or a head of one. */
interface LensRow {
  readonly layer: number;
  readonly head?: number;
  /** [positions, D] */
  readonly vectors: Float32Array;
}

/** What behind the last block stands at the asked positions, [positions, D], and the rows to compare with it. */
export interface LensVectors {
  readonly final: Float32Array;
  readonly rows: readonly LensRow[];
  /** The row that holds `final` itself, if one does: it is not read twice. */
  readonly finalRow?: number;
  /** False where a norm stands between a head and the stream, so that what heads write does not add up. */
  readonly isSum: boolean;
}

export interface VectorRequest {
  readonly tokens: Int32Array;
  readonly layers: readonly number[];
  readonly positions: readonly number[];
}

/** One forward pass: a site of the asked layers. @throws as `captureSites` */
export async function streamVectors(
  model: Model,
  kind: StreamSite,
  { tokens, layers, positions }: VectorRequest,
  signal?: AbortSignal,
): Promise<LensVectors> {
  const last: Site = { kind: 'resid_post', layer: model.info.layers - 1 };
  const sites = layers.map((layer): Site => ({ kind, layer }));
  const captured = await captureSites(model, { tokens, sites: unique([...sites, last]) }, signal);
  const pick = (site: Site) => rowsAt(captured(site), positions, model.info.hidden);
  const rows = sites.map((site, index) => ({ layer: layers[index] as number, vectors: pick(site) }));
  const finalRow = kind === 'resid_post' ? layers.indexOf(model.info.layers - 1) : -1;
  return { final: pick(last), rows, isSum: true, ...(finalRow < 0 ? {} : { finalRow }) };
}

/**
 * What single heads write at the asked positions: z of one head, all others left out, through the output projection. One forward pass
 * over the prompt and a short one (see `writeThrough`).
 * @param heads of every layer
 * @throws as `captureSites`
 */
export async function headVectors(
  model: Model,
  { tokens, layers, positions, heads }: VectorRequest & { readonly heads: readonly number[] },
  signal?: AbortSignal,
): Promise<LensVectors> {
  const { hidden, headSize, heads: headCount } = model.info;
  const last: Site = { kind: 'resid_post', layer: model.info.layers - 1 };
  const z = layers.map((layer): Site => ({ kind: 'z', layer }));
  const captured = await captureSites(model, { tokens, sites: [...z, last] }, signal);
  const width = headCount * headSize;
  const inputs = z.map((site, index) => {
    const values = rowsAt(captured(site), positions, width);
    const rows = new Float32Array(heads.length * values.length);
    heads.forEach((head, place) => {
      for (let row = 0; row < positions.length; row++) {
        const from = row * width + head * headSize;
        rows.set(values.subarray(from, from + headSize), (place * positions.length + row) * width + head * headSize);
      }
    });
    return { layer: layers[index] as number, rows };
  });
  const { outputs, isLinear } = await writeThrough(model, 'heads', inputs, signal);
  const block = positions.length * hidden;
  return {
    final: rowsAt(captured(last), positions, hidden),
    isSum: isLinear,
    rows: outputs.flatMap((vectors, index) =>
      heads.map((head, place) => ({
        layer: layers[index] as number,
        head,
        vectors: vectors.subarray(place * block, (place + 1) * block),
      })),
    ),
  };
}

/** Rows of [T, width]. */
function rowsAt(values: Float32Array, positions: readonly number[], width: number): Float32Array {
  const rows = new Float32Array(positions.length * width);
  positions.forEach((position, row) => rows.set(values.subarray(position * width, (position + 1) * width), row * width));
  return rows;
}

function unique(sites: readonly Site[]): Site[] {
  return sites.filter(
    (site, index) => sites.findIndex((other) => other.kind === site.kind && other.layer === site.layer) === index,
  );
}
