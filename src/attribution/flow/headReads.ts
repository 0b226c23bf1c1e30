import type { Tensor } from '../../model/model.ts';
import type { GradientTarget } from '../../model/gradient.ts';
import type { Site } from '../../model/sites.ts';
import type { AttributionOptions } from '../method.ts';
import {
  finiteTensor,
  type GradientInput,
  gradientOptions,
  precisionOf,
  wholeSequence,
  withoutPlan,
} from '../gradient/promptGradient.ts';
import { type FinalDirection, inner } from './finalDirection.ts';

/** Floats of attention held at once. */
const heldFloats = 64 * 1024 * 1024;

export interface LayerParts {
  /** [heads] what each head adds along the direction. */
  readonly heads: readonly number[];
  /** [heads][T] what each head reads of it from each token. */
  readonly tokens: readonly Float64Array[];
  /** What attention and MLP add along the direction as a whole, biases included. */
  readonly attention: number;
  readonly mlp: number;
}

/**
 * Parts of each layer along the direction. The output projection W_O is met only through a vector–Jacobian product: the derivative of
 * ⟨direction, attn_out⟩ with respect to z is W_Oᵀ · direction, one vector of S numbers a head and row; a head reads token j with
 * pattern[h, row, j] · ⟨v_j, that vector⟩. Several layers share a forward pass, and each has a short backward pass of its own.
 * @throws as `promptGradient`
 */
export async function headReads(
  input: GradientInput,
  { direction, rows }: FinalDirection,
  options: AttributionOptions,
): Promise<{ readonly layers: LayerParts[]; readonly forwardPasses: number }> {
  const { model, tokens, target } = input;
  const { info } = model;
  const sequence = wholeSequence(input);
  const size = sequence.length;
  const affordable = Math.floor(heldFloats / (info.heads * size ** 2));
  // The forward passes of small groups and the backward passes of large ones cost most; the root balances them.
  const perGroup = Math.max(1, Math.min(affordable, Math.ceil(Math.sqrt(info.layers))));
  const layers: LayerParts[] = [];
  let layerPasses = 0;
  for (let first = 0; first < info.layers; first += perGroup) {
    const group = Array.from({ length: Math.min(perGroup, info.layers - first) }, (_, index) => first + index);
    const result = await model.gradient(
      {
        tokens: sequence,
        targets: group.map(
          (layer): GradientTarget => ({ kind: 'cotangent', site: { kind: 'attn_out', layer }, values: direction }),
        ),
        at: group.map((layer): Site => ({ kind: 'z', layer })),
        capture: group.flatMap((layer) => captured.map((kind): Site => ({ kind, layer }))),
        precision: precisionOf(input),
      },
      gradientOptions(withoutPlan(options), () => undefined),
    );
    group.forEach((layer, index) => {
      const gradients = result.targets[index]?.gradients ?? new Map<string, Tensor>();
      const at = (kind: (typeof captured)[number]) => finiteTensor(result.captured, { kind, layer }, '');
      layers.push({
        ...readsOf(finiteTensor(gradients, { kind: 'z', layer }, 'the gradient at '), at('v'), at('pattern'), rows),
        attention: inner(at('attn_out').data, direction),
        mlp: inner(at('mlp_out').data, direction),
      });
      layerPasses += index + 1;
    });
    layerPasses += first + group.length;
    options.onProgress?.(layers.length, info.layers);
  }
  return { layers, forwardPasses: (layerPasses / info.layers) * (1 + target.continuation.length / tokens.length) };
}

const captured = ['v', 'pattern', 'attn_out', 'mlp_out'] as const;

/**
 * @param wanted W_Oᵀ · direction, [T, H, S]
 * @param v [T, K, S]; query head h uses key/value head ⌊h · K / H⌋
 * @param pattern [H, T, T]
 */
function readsOf(wanted: Tensor, v: Tensor, pattern: Tensor, rows: readonly number[]): Pick<LayerParts, 'heads' | 'tokens'> {
  const [size = 0, headCount = 1, headSize = 1] = wanted.shape;
  const [, kvCount = 1] = v.shape;
  const heads = new Array<number>(headCount).fill(0);
  const tokens = heads.map(() => new Float64Array(size));
  for (let head = 0; head < headCount; head++) {
    const kv = Math.floor((head * kvCount) / headCount);
    const own = tokens[head] as Float64Array;
    for (const row of rows) {
      const start = (row * headCount + head) * headSize;
      const direction = wanted.data.subarray(start, start + headSize);
      for (let key = 0; key <= row; key++) {
        const share = pattern.data[(head * size + row) * size + key] as number;
        const part = share * inner(direction, v.data.subarray((key * kvCount + kv) * headSize));
        heads[head] = (heads[head] as number) + part;
        own[key] = (own[key] as number) + part;
      }
    }
  }
  return { heads, tokens };
}
