import type { GraphBuilder } from '../graph/graphBuilder.ts';
import { type LoweringContext, once } from './loweringContext.ts';

export interface AttentionForm {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly scale: number;
  /** Added to the scores; broadcasts to [batch, heads, queries, keys]. */
  readonly bias: string | null;
  /** Scores pass through c·tanh(score / c); 0: they do not. */
  readonly softcap: number;
  readonly causal: boolean;
  /** A query sees this many keys up to its own; 0: all. */
  readonly window: number;
  /** A score per head that takes part in the softmax and stands for no key: a tensor [heads], or the number 0. */
  readonly sink?: string | 0 | null;
}

/** −∞ where softmax is taken: finite, also when three masks add up, so that a row without any key stays a number. */
export const maskedScore = -1e38;

/**
 * Scaled dot-product attention (Vaswani et al. 2017, eq. 1) in primitive operators; keys of grouped heads are repeated (Ainslie et al. 2023).
 * @param query [batch, heads, queries, head size]
 * @param key [batch, kv heads, keys, head size]; value alike
 * @returns [batch, heads, queries, head size]
 */
export function attend(context: LoweringContext, query: string, key: string, value: string, form: AttentionForm): string {
  const { builder } = context;
  const keys = repeatHeads(builder, key, form);
  const values = repeatHeads(builder, value, form);
  const scaled = builder.multiply(query, builder.number(form.scale));
  let scores = builder.node('MatMul', [scaled, builder.transpose(keys, [0, 1, 3, 2])]); // [batch, heads, queries, keys]
  if (form.softcap > 0) scores = softcapped(builder, scores, form.softcap);
  if (form.bias !== null) scores = builder.add(scores, form.bias);
  if (form.causal) scores = builder.add(scores, causalMask(context, query, key, form.window));
  const probabilities = softmax(builder, scores, form);
  return builder.node('MatMul', [probabilities, values]);
}

function repeatHeads(builder: GraphBuilder, x: string, { heads, kvHeads, headSize }: AttentionForm): string {
  if (heads === kvHeads) return x;
  const group = builder.ints(1, 1, heads / kvHeads, 1, 1);
  const repeated = builder.node('Expand', [builder.unsqueeze(x, [2]), group]); // [batch, kv heads, group, keys, head size]
  return builder.reshape(repeated, [0, heads, -1, headSize]);
}

function softcapped(builder: GraphBuilder, scores: string, cap: number): string {
  return builder.multiply(builder.node('Tanh', [builder.multiply(scores, builder.number(1 / cap))]), builder.number(cap));
}

function softmax(builder: GraphBuilder, scores: string, { sink, heads }: AttentionForm): string {
  if (sink === undefined || sink === null) return builder.node('Softmax', [scores], { axis: -1 });
  const first = builder.slice(scores, 3, 0, 1); // [batch, heads, queries, 1]: only its shape is used
  const nothing = builder.node('ConstantOfShape', [builder.shape(first)]);
  const extra = sink === 0 ? nothing : builder.add(nothing, builder.reshape(sink, [1, heads, 1, 1]));
  const withSink = builder.node('Softmax', [builder.node('Concat', [scores, extra], { axis: 3 })], { axis: -1 });
  return builder.slice(withSink, 3, 0, -1);
}

/** [queries, keys]: 0 where the key may be seen, else `maskedScore`. The last query stands at the last key. */
function causalMask(context: LoweringContext, query: string, key: string, window: number): string {
  const { builder } = context;
  return once(context, `causal mask ${window}`, () => {
    const queries = builder.node('Gather', [builder.shape(query), builder.int(2)]); // []
    const keys = builder.node('Gather', [builder.shape(key), builder.int(2)]);
    const zero = builder.int(0);
    const one = builder.int(1);
    const column = builder.unsqueeze(builder.node('Range', [zero, keys, one]), [0]); // [1, keys]
    const own = builder.unsqueeze(builder.node('Range', [builder.subtract(keys, queries), keys, one]), [1]); // [queries, 1]
    let hidden = builder.node('Greater', [column, own]);
    if (window > 0) {
      const tooOld = builder.node('Less', [column, builder.subtract(own, builder.int(window - 1))]);
      hidden = builder.node('Or', [hidden, tooOld]);
    }
    return builder.node('Where', [hidden, builder.number(maskedScore), builder.number(0)]);
  });
}

/** [batch, tokens, heads · size] → [batch, heads, tokens, size] */
export function splitHeads(builder: GraphBuilder, x: string, heads: number, headSize: number): string {
  return builder.transpose(builder.reshape(x, [0, 0, heads, headSize]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, size] → [batch, tokens, heads · size] */
export function mergeHeads(builder: GraphBuilder, x: string, output: string): void {
  builder.node('Reshape', [builder.transpose(x, [0, 2, 1, 3]), builder.ints(0, 0, -1)], {}, { output });
}

/** A mask of ones and zeros [batch, keys] or [batch, queries, keys] as a bias: `masked` where it is zero. */
export function maskBias(context: LoweringContext, mask: string, rank: number, masked: number): string {
  const { builder } = context;
  return once(context, `mask ${mask} ${masked}`, () => {
    const shut = builder.subtract(builder.number(1), builder.castToFloat(mask));
    const bias = builder.multiply(shut, builder.number(masked));
    return rank === 2 ? builder.unsqueeze(bias, [1, 2]) : rank === 3 ? builder.unsqueeze(bias, [1]) : bias;
  });
}

/** Numbers of keys that are no padding [batch] as a bias [batch, 1, 1, keys]. `tokens`: a tensor [batch, keys, …]. */
export function lengthBias(context: LoweringContext, lengths: string, tokens: string, masked: number): string {
  const { builder } = context;
  return once(context, `lengths ${lengths} ${masked}`, () => {
    const keys = builder.node('Gather', [builder.shape(tokens), builder.int(1)]);
    const places = builder.unsqueeze(builder.node('Range', [builder.int(0), keys, builder.int(1)]), [0]); // [1, keys]
    const real = builder.node('Cast', [builder.unsqueeze(lengths, [1])], { to: 7 });
    const shut = builder.node('Where', [builder.node('Less', [places, real]), builder.number(0), builder.number(masked)]);
    return builder.unsqueeze(shut, [1, 2]);
  });
}
