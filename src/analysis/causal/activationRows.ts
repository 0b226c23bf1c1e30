/** Activations of one run at the sites of every layer, and single vectors of them as patches for another. */
import type { Model, Patch, RowRead, RowResult, Tensor } from '../../model/model.ts';
import { type LayerSite, type Site, siteName } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';

export class LayerActivations {
  constructor(
    readonly kind: LayerSite,
    /** One a layer: [T, D], or [T, H, S] for z. */
    private readonly tensors: readonly Tensor[],
  ) {}

  /** The vector of one position: of all heads, where the site has some. */
  at(layer: number, position: number): Float32Array {
    const { shape, data } = this.tensors[layer] as Tensor;
    const width = data.length / (shape[0] as number);
    return data.subarray(position * width, (position + 1) * width);
  }

  /** Overwrites one position of the site in another run of the same length. */
  patchPosition(layer: number, position: number): Patch {
    return this.patch(layer, { positions: [position] }, this.at(layer, position));
  }

  /** Overwrites one head at all positions. */
  patchHead(layer: number, head: number): Patch {
    const { shape, data } = this.tensors[layer] as Tensor;
    const [length = 0, heads = 1, width = 0] = shape;
    const values = new Float32Array(length * width);
    for (let position = 0; position < length; position++) {
      const start = (position * heads + head) * width;
      values.set(data.subarray(start, start + width), position * width);
    }
    return this.patch(layer, { heads: [head] }, values);
  }

  patchLayer(layer: number): Patch {
    return this.patch(layer, {}, (this.tensors[layer] as Tensor).data);
  }

  /**
   * Values of this run in place of those of a prompt of `length` tokens, aligned at the end: both prompts end where the answer begins.
   * Positions that this run does not have take those of its first token.
   */
  resampled(layer: number, place: Pick<Patch, 'heads' | 'positions'>, length: number): Patch {
    return this.moved(layer, place, length, (position) => this.alignedPosition(layer, position, length));
  }

  /** The vector that {@link resampled} puts at a position of a prompt of `length` tokens. */
  aligned(layer: number, position: number, length: number): Float32Array {
    return this.at(layer, this.alignedPosition(layer, position, length));
  }

  /** Mean over positions of one number of the vector. */
  mean(layer: number, index: number): number {
    const { shape } = this.tensors[layer] as Tensor;
    const [length = 1] = shape;
    let sum = 0;
    for (let position = 0; position < length; position++) sum += this.at(layer, position)[index] as number;
    return sum / length;
  }

  /** Overwrites a part of a run of `length` tokens: each position takes what this run has at `source` of it. */
  moved(
    layer: number,
    { heads, positions }: Pick<Patch, 'heads' | 'positions'>,
    length: number,
    source: (position: number) => number,
  ): Patch {
    const { shape, data } = this.tensors[layer] as Tensor;
    const width = data.length / (shape[0] as number);
    const headWidth = heads === undefined ? width : (shape[2] ?? width);
    const chosen = positions ?? Array.from({ length }, (_, position) => position);
    const parts = chosen.flatMap((position) => {
      const start = source(position) * width;
      return (heads ?? [0]).map((head) => data.subarray(start + head * headWidth, start + (head + 1) * headWidth));
    });
    const values = new Float32Array(parts.length * headWidth);
    parts.forEach((part, index) => values.set(part, index * headWidth));
    return this.patch(layer, { positions: chosen, ...(heads === undefined ? {} : { heads }) }, values);
  }

  private alignedPosition(layer: number, position: number, length: number): number {
    const [own = 1] = (this.tensors[layer] as Tensor).shape;
    return Math.max(0, position + own - length);
  }

  private patch(layer: number, place: Pick<Patch, 'positions' | 'heads'>, values: Float32Array): Patch {
    return { site: { kind: this.kind, layer }, ...place, operation: { kind: 'overwrite', values: values.slice() } };
  }
}

/** One forward pass. @param tokens prompt and continuation @throws E_NUMERIC, and as `Model.forward` */
export async function layerActivations(
  model: Model,
  tokens: Int32Array,
  kinds: readonly LayerSite[],
  signal: AbortSignal,
  read: readonly RowRead[] = [],
): Promise<{ readonly activations: ReadonlyMap<LayerSite, LayerActivations>; readonly read: readonly RowResult[] }> {
  const layers = Array.from({ length: model.info.layers }, (_, layer) => layer);
  const sites = kinds.flatMap((kind) => layers.map((layer): Site => ({ kind, layer })));
  const result = await model.forward({ tokens, read, capture: sites.map((site) => ({ site })) }, { signal });
  if (result.nonFinite !== null) throw numeric(result.nonFinite);
  const activations = new Map(
    kinds.map((kind) => {
      const tensors = layers.map(
        (layer) => result.captured.get(siteName({ kind, layer })) ?? { shape: [0], data: new Float32Array(0) },
      );
      return [kind, new LayerActivations(kind, tensors)] as const;
    }),
  );
  return { activations, read: result.read };
}
