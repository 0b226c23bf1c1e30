/**
 * A model with a closed-form gradient, as an oracle. Token t has an embedding x_t of four numbers; with A the attention of
 * the linear test model (made of tokens only, [query, key]) the logits after position p are
 *
 *   logit_v(p) = Σ over layers l, heads h, keys t ≤ p of  gain(l, h) · A_lh[p, t] · tanh(u_v · x_t)
 *
 * so  d logit_v(p) / d x_t    = Σ gain · A · (1 − tanh²) · u_v
 * and d logit_v(p) / d A[p,t] = gain · tanh(u_v · x_t).
 */
import type {
  GradientOptions,
  GradientPathRequest,
  GradientPathResult,
  GradientPlan,
  GradientRequest,
  GradientResult,
} from '../../src/model/gradient.ts';
import type { CallOptions, ForwardRequest, ForwardResult, Model, Precision, RowRead, Tensor } from '../../src/model/model.ts';
import { siteName, type Site } from '../../src/model/sites.ts';
import { cancelled, gradientUnsupported, numeric } from '../../src/shared/errorCatalog.ts';
import { targetOnLogits } from './gradientTargetValue.ts';
import { createLinearModel, headPattern, linearInfo, type LinearModelOptions, readLogits, weight } from './linearModel.ts';

const { layers, heads, hidden, vocabulary } = linearInfo;

export interface SmoothModelOptions extends LinearModelOptions {
  /** Reads the direction of an embedding only, as a normalisation without an epsilon would: no gradient at zero. */
  readonly scaleFree?: boolean;
  /** Multiplies what tanh is taken of: the larger, the harder the path of integrated gradients. */
  readonly steepness?: number;
  /** Every gradient fails as if the graph had an operator without a rule. */
  readonly unsupported?: boolean;
}

export interface SmoothModel extends Model {
  readonly gradients: (GradientRequest | GradientPathRequest)[];
}

export const smoothPlan = (precision: Precision): GradientPlan => ({
  precision,
  peakBytes: 612e6,
  activationBytes: 400e6,
  weightBytes: 200e6,
  limitBytes: 4e9,
  segments: 1,
  kernel: 'ggml',
});

export function gain(layer: number, head: number): number {
  return 1 + 0.5 * layer - 1.7 * head;
}

export function embeddingOf(token: number): number[] {
  return Array.from({ length: hidden }, (_, d) => weight(token * 13 + d + 1, 5));
}

const directions = Array.from({ length: vocabulary }, (_v, of) =>
  Array.from({ length: hidden }, (_, d) => 2 * weight(of * 17 + d + 3, 11)),
);

/** u of one token of the vocabulary. */
export function directionOf(of: number): readonly number[] {
  return directions[of] ?? [];
}

export function createSmoothModel(options: SmoothModelOptions = {}): SmoothModel {
  const linear = createLinearModel(options);
  const gradients: SmoothModel['gradients'] = [];
  const { steepness = 1, scaleFree = false } = options;

  const embed = (tokens: Int32Array) => Float32Array.from([...tokens].flatMap(embeddingOf)); // [T, D]
  const patterns = (tokens: Int32Array) =>
    Array.from({ length: layers }, (_l, layer) =>
      Array.from({ length: heads }, (_h, head) => headPattern(tokens, layer, head, options.sink)),
    );
  const read = (x: Float32Array, at: number) => {
    const part = [...x.subarray(at * hidden, (at + 1) * hidden)];
    const norm = Math.hypot(...part);
    return { part: scaleFree ? part.map((value) => value / norm) : part, norm };
  };
  const inner = (of: number, x: Float32Array, at: number) => {
    const { part } = read(x, at);
    return Math.tanh(steepness * directionOf(of).reduce((sum, value, d) => sum + value * (part[d] as number), 0));
  };
  const logitsAt = (tokens: Int32Array, x: Float32Array) => {
    const all = patterns(tokens);
    return (position: number) =>
      Float64Array.from({ length: vocabulary }, (_, of) => {
        let sum = 0;
        for (let key = 0; key <= position; key++) {
          let mixed = 0;
          all.forEach((layer, l) => {
            layer.forEach((pattern, h) => {
              mixed += gain(l, h) * (pattern[position * tokens.length + key] as number);
            });
          });
          sum += mixed * inner(of, x, key);
        }
        return sum;
      });
  };

  const forward = async (request: ForwardRequest, call?: CallOptions): Promise<ForwardResult> => {
    const result = await linear.forward(request, call);
    const x = request.embeddings ?? embed(request.tokens);
    const at = logitsAt(request.tokens, x);
    const captured = new Map(result.captured);
    if (captured.has('embed')) captured.set('embed', { shape: [request.tokens.length, hidden], data: x.slice() });
    return {
      ...result,
      captured,
      read: (request.read ?? []).map((row: RowRead) => readLogits(Float32Array.from(at(row.position)), row)),
    };
  };

  /** Value and derivative of one target at one input. */
  const differentiate = (
    tokens: Int32Array,
    x: Float32Array,
    target: GradientRequest['targets'][number],
    at: readonly Site[],
  ) => {
    const { value, rows } = targetOnLogits(target, logitsAt(tokens, x));
    const size = tokens.length;
    const all = patterns(tokens);
    // [key][of]: u_of · x through tanh, and its slope in x.
    const values = Array.from(tokens, (_token, key) => Array.from({ length: vocabulary }, (_v, of) => inner(of, x, key)));
    const tensor = (site: Site): Tensor => {
      // No layer adds to the embeddings: the residual stream is the embeddings everywhere.
      const isEmbed = site.kind === 'embed' || site.kind === 'resid_post';
      const shape = isEmbed ? [size, hidden] : [heads, size, size];
      const data = new Float64Array(shape.reduce((product, side) => product * side, 1));
      const add = (index: number, part: number) => {
        data[index] = (data[index] as number) + part;
      };
      for (const [position, slope] of rows) {
        for (let key = 0; key <= position; key++) {
          const known = values[key] as number[];
          const at = position * size + key;
          if (!isEmbed) {
            const effect = known.reduce((sum, value, of) => sum + (slope[of] as number) * value, 0);
            for (let h = 0; h < heads; h++) add(h * size * size + at, gain(site.layer ?? 0, h) * effect);
            continue;
          }
          let mixed = 0;
          all.forEach((layer, l) => layer.forEach((pattern, h) => (mixed += gain(l, h) * (pattern[at] as number))));
          known.forEach((value, of) => {
            const inward = (slope[of] as number) * mixed * (1 - value * value) * steepness;
            inputSlope(of, x, key).forEach((part, d) => add(key * hidden + d, inward * part));
          });
        }
      }
      return { shape, data: Float32Array.from(data) };
    };
    return { value, gradients: new Map(at.map((site) => [siteName(site), tensor(site)])) };
  };
  /** d (u_of · read(x)) / d x of one position. */
  const inputSlope = (of: number, x: Float32Array, at: number) => {
    const { part, norm } = read(x, at);
    const u = directionOf(of);
    if (!scaleFree) return u;
    const along = u.reduce((sum, value, d) => sum + value * (part[d] as number), 0);
    return u.map((value, d) => (value - along * (part[d] as number)) / norm);
  };

  const begin = (request: GradientRequest | GradientPathRequest, call: GradientOptions): Precision => {
    if (call.signal?.aborted === true) throw cancelled();
    if (options.unsupported === true) throw gradientUnsupported('SSM_SCAN (ssm-3, layer 3)', 'this operator has no rule', []);
    gradients.push(request);
    const precision = request.precision ?? 'as-served';
    call.onPlan?.(smoothPlan(precision));
    return precision;
  };

  const gradient = async (request: GradientRequest, call: GradientOptions = {}): Promise<GradientResult> => {
    const precision = begin(request, call);
    const { tokens, capture = [] } = request;
    const x = request.embeddings ?? embed(tokens);
    const { captured } = await forward({ tokens, capture: capture.map((site) => ({ site })) }, call);
    if (call.signal?.aborted === true) throw cancelled();
    const targets = request.targets.map((target) => differentiate(tokens, x, target, request.at));
    call.onProgress?.(1, 1);
    return { precision, plan: smoothPlan(precision), targets, captured };
  };

  const gradientAlong = async (request: GradientPathRequest, call: GradientOptions = {}): Promise<GradientPathResult> => {
    const precision = begin(request, call);
    const sums = new Map<string, { readonly shape: readonly number[]; readonly data: Float64Array }>();
    const values: number[] = [];
    for (const [step, { fraction, weight: share }] of request.points.entries()) {
      await Promise.resolve();
      if (call.signal?.aborted === true) throw cancelled();
      const x = request.from.map((from, index) => (1 - fraction) * from + fraction * (request.to[index] as number));
      const { value, gradients: slopes } = differentiate(request.tokens, x, request.target, share === 0 ? [] : request.at);
      values.push(value);
      for (const [name, { shape, data }] of slopes) {
        if (!data.every(Number.isFinite)) throw numeric(`the gradient at ${name}`);
        const sum = sums.get(name) ?? { shape, data: new Float64Array(data.length) };
        data.forEach((part, index) => {
          sum.data[index] = (sum.data[index] as number) + share * part;
        });
        sums.set(name, sum);
      }
      call.onProgress?.(step + 1, request.points.length);
    }
    return {
      precision,
      plan: smoothPlan(precision),
      values: Float64Array.from(values),
      gradients: new Map([...sums].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }])),
    };
  };

  return {
    ...linear,
    info: { ...linear.info, can: { ...linear.info.can, gradient: true } },
    gradients,
    forward,
    async forwardVariants({ variants }, call = {}) {
      const results = [];
      for (const [index, variant] of variants.entries()) {
        const { read: rows } = await forward(variant, call);
        const result = { read: rows };
        call.onResult?.(index, result);
        results.push(result);
      }
      return results;
    },
    gradient,
    gradientAlong,
  };
}
