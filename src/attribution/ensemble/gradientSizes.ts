/** How steeply the target changes with each unit, where its words enter the model and further up. */
import type { Precision } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { LoupeError } from '../../shared/errors.ts';
import { type PromptGradient, promptGradient } from '../gradient/promptGradient.ts';
import { rowNorms } from '../gradient/saliency.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';
import { sumByUnit } from '../scoredUnits.ts';

const embed: Site = { kind: 'embed' };
/** Shares of the model's depth at which the residual stream is read: words know of each other there, the answer is not made yet. */
const depths = [0.6, 2 / 3, 0.75] as const;

export interface GradientSizes {
  /** [units] ‖d target / d embed‖, summed over the tokens of a unit. */
  readonly embedding: Float32Array;
  /** [layers read][units] the same of the residual stream that leaves a layer; empty for a model in which it was not found. */
  readonly residuals: readonly Float32Array[];
  readonly precision: Precision;
  readonly forwardPasses: number;
}

/**
 * All sizes from one gradient. Where the answer is read the residual stream holds the answer itself and not what the word there
 * gives: the unit of the last token gets 0 in `residuals`.
 * @throws as `promptGradient`
 */
export async function gradientSizes(input: AttributionInput, options: AttributionOptions): Promise<GradientSizes> {
  const { units, tokens, model } = input;
  const layers = new Set(depths.map((depth) => Math.floor(depth * model.info.layers)));
  const streams = [...layers].map((layer): Site => ({ kind: 'resid_post', layer }));
  const { result, residuals } = await gradientAt(input, streams, options);
  const sizes = (site: Site) => sumByUnit(units, rowNorms(result.gradient(site), tokens.length, 'l2'));
  const last = units.findIndex((unit) => unit.tokens.includes(tokens.length - 1));
  return {
    embedding: sizes(embed),
    residuals: residuals.map((site) => sizes(site).map((size, unit) => (unit === last ? 0 : size))),
    precision: result.precision,
    forwardPasses: result.forwardPasses,
  };
}

/** The gradient at the embeddings, and at `residuals` where the model has them. */
async function gradientAt(
  input: AttributionInput,
  residuals: readonly Site[],
  options: AttributionOptions,
): Promise<{ readonly result: PromptGradient; readonly residuals: readonly Site[] }> {
  try {
    return { result: await promptGradient(input, { at: [embed, ...residuals] }, options), residuals };
  } catch (error) {
    if (residuals.length === 0 || !(error instanceof LoupeError && error.code === 'E_SITE_UNKNOWN')) throw error;
    return await gradientAt(input, [], options);
  }
}
