import type { Precision } from '../../model/model.ts';
import { type GradientInput } from '../gradient/promptGradient.ts';
import type { AttributionOptions } from '../method.ts';
import { finalDirection } from './finalDirection.ts';
import { headReads } from './headReads.ts';

/** A target as the sum of what was written into the residual stream, in the target's unit, with the scale of the last norm held fast. */
export interface LogitParts {
  /** [T] of the embeddings at each position. */
  readonly embedding: Float64Array;
  /** [L][H] */
  readonly heads: readonly (readonly number[])[];
  /** [L][H][T] what each head read of it from each token. */
  readonly headTokens: readonly (readonly Float64Array[])[];
  /** [L], the MLP's own biases included. */
  readonly mlps: readonly number[];
  /** [L] what attention adds whatever its heads read: the bias of its output projection. */
  readonly attentionBiases: readonly number[];
  /** What the last norm adds whatever the stream holds. */
  readonly normBias: number;
  /** All of it together. */
  readonly sum: number;
  /** What it should add up to: the target on this prompt, or its linear part where it is no sum of logits. */
  readonly expected: number;
  /** False where a norm stands behind the heads: then they cancel where they should add up to what attention gives. */
  readonly isSum: boolean;
  readonly precision: Precision;
  readonly forwardPasses: number;
}

/**
 * Direct logit attribution (Elhage et al. 2021, "A mathematical framework for transformer circuits"; nostalgebraist 2020).
 * @throws as `promptGradient`
 */
export async function logitParts(input: GradientInput, options: AttributionOptions = {}): Promise<LogitParts> {
  const final = await finalDirection(input, options);
  const { layers, forwardPasses } = await headReads(input, final, options);
  const isLogit = input.target.gradient(input.tokens.length).kind === 'logit';
  return {
    embedding: final.embedding,
    heads: layers.map(({ heads }) => heads),
    headTokens: layers.map(({ tokens }) => tokens),
    mlps: layers.map(({ mlp }) => mlp),
    attentionBiases: layers.map(({ attention, heads }) => attention - added(heads)),
    normBias: final.bias,
    sum: added(final.embedding) + final.bias + added(layers.map(({ attention, mlp }) => attention + mlp)),
    expected: isLogit ? final.result.value : final.total,
    // Behind a norm the derivative along what all heads write together is 0.
    isSum: magnitude(layers.map(({ heads }) => added(heads))) >= 0.2 * magnitude(layers.map(({ attention }) => attention)),
    precision: final.result.precision,
    forwardPasses: final.forwardPasses + forwardPasses,
  };
}

export function added(parts: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < parts.length; index++) sum += parts[index] as number;
  return sum;
}

function magnitude(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum + Math.abs(part), 0);
}
