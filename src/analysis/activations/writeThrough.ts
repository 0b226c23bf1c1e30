/**
 * The output projections of attention and MLP as linear maps, without reading a weight: `attn_out` depends on `z` alone and `mlp_out`
 * on `mlp_post` alone, position by position, so rows put in place of those sites come out multiplied. One short forward pass, whose
 * tokens do not matter, serves all layers; its first position holds zeros and gives the projection's bias, which is taken off.
 */
import type { Model, Patch } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { captureSites } from './captureSites.ts';

/** The sites before and behind a projection. */
const projections = { heads: ['z', 'attn_out'], neurons: ['mlp_post', 'mlp_out'] } as const;
export type Projection = keyof typeof projections;

export interface LayerRows {
  readonly layer: number;
  /** [R, H · S] of heads, [R, F] of neurons. */
  readonly rows: Float32Array;
}

export interface Written {
  /** For each input [R, D]: what is written into the residual stream, the bias left out. */
  readonly outputs: readonly Float32Array[];
  /** False where a norm stands behind the projection: then a part alone writes something else than its share of the whole. */
  readonly isLinear: boolean;
}

/** Rounding in quantised products stays below this share. */
const looseness = 0.2;

/**
 * @param inputs as many rows R in every layer
 * @throws as `captureSites`
 */
export async function writeThrough(
  model: Model,
  projection: Projection,
  inputs: readonly LayerRows[],
  signal?: AbortSignal,
): Promise<Written> {
  const { heads, headSize, neurons, hidden, contextLength } = model.info;
  const width = projection === 'heads' ? heads * headSize : neurons;
  const count = (inputs[0]?.rows.length ?? 0) / width;
  const [before, behind] = projections[projection];
  const outputs = inputs.map(() => new Float32Array(count * hidden));
  let isLinear = true;
  // Two positions more than there are rows: the bias, and the first row twice as large.
  const most = contextLength - 2;
  for (let first = 0; first < count; first += most) {
    const size = Math.min(most, count - first);
    const patches = inputs.map(({ layer, rows }): Patch => {
      const own = rows.subarray(first * width, (first + size) * width);
      const values = new Float32Array((size + 2) * width);
      values.set(
        own.subarray(0, width).map((value) => 2 * value),
        width,
      );
      values.set(own, 2 * width);
      return { site: { kind: before, layer }, operation: { kind: 'overwrite', values } };
    });
    const sites = inputs.map(({ layer }): Site => ({ kind: behind, layer }));
    const written = await captureSites(model, { tokens: new Int32Array(size + 2), patches, sites }, signal);
    sites.forEach((site, index) => {
      const values = written(site);
      const bias = values.subarray(0, hidden);
      const output = outputs[index] as Float32Array;
      const own = values.subarray(2 * hidden).map((value, at) => value - (bias[at % hidden] as number));
      const doubled = values.subarray(hidden, 2 * hidden).map((value, at) => value - (bias[at] as number));
      output.set(own, first * hidden);
      isLinear &&= isTwice(doubled, own.subarray(0, hidden));
    });
  }
  return { outputs, isLinear };
}

function isTwice(doubled: Float32Array, single: Float32Array): boolean {
  let [rest, whole] = [0, 0];
  doubled.forEach((value, at) => {
    rest += Math.abs(value - 2 * (single[at] as number));
    whole += Math.abs(value);
  });
  return rest <= looseness * whole;
}
