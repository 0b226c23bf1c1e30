import type { CallOptions, CaptureRequest, Model, Patch } from '../../model/model.ts';
import { siteName, type LayerSite } from '../../model/sites.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';

/** What attention of one layer is made of. */
export interface AttentionParts {
  readonly layer: number;
  /** [T, D] what enters the layer, and what attention adds to it. */
  readonly before: Float32Array;
  readonly added: Float32Array;
  /** [H, T, T] */
  readonly pattern: Float32Array;
  /** [H][T, D] W_O of the head times v of the token: what the head would write if it looked at that token alone. */
  readonly outputs: readonly Float32Array[];
  /** Whether what all heads write together is the sum of what each writes: not so where a norm stands behind them. */
  readonly isSum: boolean;
}

const kinds = ['v', 'pattern', 'resid_pre', 'attn_out'] as const;

/** Rounding in quantised products stays below this share. */
const looseness = 0.2;

/** Forward passes that {@link attentionParts} takes. */
export const partsPasses = ({ info }: Pick<Model, 'info'>): number => 3 + info.heads;

/**
 * Attention of several layers, taken apart. No weight is read: with `z` overwritten so that one head holds v of each position and all
 * others nothing, attention writes that head's output for every token; one forward pass a head does it for all layers at once, since
 * attention writes from `z` alone. What it writes of nothing is the projection's bias, and is taken off.
 * @throws E_NUMERIC, E_SITE_UNKNOWN, and as `Model.forward`
 */
export async function attentionParts(
  model: Model,
  tokens: Int32Array,
  layers: readonly number[],
  options: CallOptions,
): Promise<AttentionParts[]> {
  const { heads } = model.info;
  const read = async (capture: readonly CaptureRequest[], patches: readonly Patch[] = []) => {
    const { captured, nonFinite } = await model.forward(
      { tokens, capture, patches },
      options.signal === undefined ? {} : { signal: options.signal },
    );
    if (nonFinite !== null) throw numeric(nonFinite);
    return (kind: LayerSite, layer: number) => {
      const name = siteName({ kind, layer });
      const tensor = captured.get(name);
      if (tensor === undefined) throw siteUnknown(name, 'the model did not give it', [...captured.keys()]);
      return tensor.data;
    };
  };
  const attention = layers.map((layer): CaptureRequest => ({ site: { kind: 'attn_out', layer } }));
  const empty = layers.map((layer): Patch => ({ site: { kind: 'z', layer }, operation: { kind: 'zero' } }));
  const plain = await read(layers.flatMap((layer) => kinds.map((kind): CaptureRequest => ({ site: { kind, layer } }))));
  const bias = await read(attention, empty);
  const writtenBy = async (wanted: readonly number[]) => {
    const patches = layers.flatMap((layer) => wanted.map((head) => valuesAsOutput(model, plain('v', layer), layer, head)));
    const written = await read(attention, [...empty, ...patches]);
    return layers.map((layer) => combined(written('attn_out', layer), bias('attn_out', layer), -1));
  };
  const all = Array.from({ length: heads }, (_, head) => head);
  const together = await writtenBy(all);
  const alone: Float32Array[][] = [];
  for (const head of all) alone.push(await writtenBy([head]));
  return layers.map((layer, index) => {
    const outputs = alone.map((written) => written[index] as Float32Array);
    const whole = together[index] as Float32Array;
    const rest = outputs.reduce((left, output) => combined(left, output, -1), whole);
    return {
      layer,
      before: plain('resid_pre', layer),
      added: plain('attn_out', layer),
      pattern: plain('pattern', layer),
      outputs,
      isSum: size(rest) <= looseness * size(whole),
    };
  });
}

/** Puts v of each position where the head's output would be; v: [T, K, S], query head h uses key/value head ⌊h · K / H⌋. */
function valuesAsOutput({ info }: Model, v: Float32Array, layer: number, head: number): Patch {
  const { heads, kvHeads, headSize } = info;
  const kv = Math.floor((head * kvHeads) / heads);
  const positions = v.length / (kvHeads * headSize);
  const values = new Float32Array(positions * headSize);
  for (let position = 0; position < positions; position++) {
    const start = (position * kvHeads + kv) * headSize;
    values.set(v.subarray(start, start + headSize), position * headSize);
  }
  return { site: { kind: 'z', layer }, heads: [head], operation: { kind: 'overwrite', values } };
}

/** a + factor · b */
function combined(a: Float32Array, b: Float32Array, factor: number): Float32Array {
  return a.map((value, at) => value + factor * (b[at] as number));
}

/** Sum of magnitudes. */
function size(values: Float32Array): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0);
}
