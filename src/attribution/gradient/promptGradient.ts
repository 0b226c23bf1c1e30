/** What the gradient methods share: one forward and one backward pass over a prompt and the target's own tokens. */
import type { GradientOptions, GradientPlan, GradientRules } from '../../model/gradient.ts';
import type { Precision, Tensor } from '../../model/model.ts';
import { siteName, type Site } from '../../model/sites.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import { withContinuation } from '../perturbation/evaluateSequences.ts';
import type { AttributionInput, AttributionOptions, MethodParameter } from '../method.ts';

/** What a gradient of a prompt is taken of. */
export type GradientInput = Pick<AttributionInput, 'model' | 'tokens' | 'target' | 'parameters'>;

/** `as-served`: the file as the runtime executes it; `dequantised`: its weights computed in fp32. */
export const precisionParameter: MethodParameter = {
  id: 'precision',
  label: 'Weights',
  default: 'as-served',
  choices: ['as-served', 'dequantised'],
};

export function precisionOf({ parameters }: Pick<GradientInput, 'parameters'>): Precision {
  return parameters.precision === 'dequantised' ? 'dequantised' : 'as-served';
}

/** Prompt and teacher-forced tokens, [T]. */
export function wholeSequence({ tokens, target }: Pick<GradientInput, 'tokens' | 'target'>): Int32Array {
  return withContinuation(
    Int32Array.from(tokens, (token) => token.id),
    target.continuation,
  );
}

export interface PromptGradient {
  readonly precision: Precision;
  /** The target in this precision. */
  readonly value: number;
  /** d target / d site, and the site itself where it was captured; shapes as in sites.ts, over the whole sequence. */
  gradient(site: Site): Tensor;
  captured(site: Site): Tensor;
  readonly forwardPasses: number;
}

/**
 * The target's derivative at the asked sites, or what the asked rules put in its place.
 * @throws E_NUMERIC for a NaN or an infinity anywhere in the answer, and as `Model.gradient`
 */
export async function promptGradient(
  input: GradientInput,
  asked: { readonly at: readonly Site[]; readonly capture?: readonly Site[]; readonly rules?: GradientRules },
  options: AttributionOptions = {},
): Promise<PromptGradient> {
  const result = await input.model.gradient(
    {
      tokens: wholeSequence(input),
      targets: [input.target.gradient(input.tokens.length)],
      ...asked,
      precision: precisionOf(input),
    },
    gradientOptions(options),
  );
  const [target] = result.targets;
  if (target === undefined || !Number.isFinite(target.value)) throw numeric('the target');
  return {
    precision: result.precision,
    value: target.value,
    gradient: (site) => finiteTensor(target.gradients, site, 'the gradient at '),
    captured: (site) => finiteTensor(result.captured, site, ''),
    forwardPasses: gradientPasses(result.plan, input),
  };
}

/** The model's own options; progress is told as it comes unless `onProgress` replaces it. */
export function gradientOptions(
  { signal, onPlan, onProgress: told }: AttributionOptions,
  onProgress: GradientOptions['onProgress'] = told,
): GradientOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onPlan === undefined ? {} : { onPlan }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

/** For the second gradient of a method and those after it. */
export function withoutPlan(options: AttributionOptions): AttributionOptions {
  return { ...options, onPlan: () => undefined };
}

/** A tensor of the answer. @throws E_SITE_UNKNOWN when the model did not give it, E_NUMERIC when it is not finite */
export function finiteTensor(tensors: ReadonlyMap<string, Tensor>, site: Site, what: string): Tensor {
  const name = siteName(site);
  const tensor = tensors.get(name);
  if (tensor === undefined) throw siteUnknown(name, 'the model did not give it', [...tensors.keys()]);
  if (!tensor.data.every(Number.isFinite)) throw numeric(`${what}${name}`);
  return tensor;
}

/**
 * What one gradient costs, in forward passes over the prompt: a forward pass, a backward pass of about the same cost, and what is
 * computed twice to save memory.
 * @param runs forward passes that share the backward pass
 */
export function gradientPasses(
  { segments }: Pick<GradientPlan, 'segments'>,
  { tokens, target }: GradientInput,
  runs = 1,
): number {
  return (runs + 1 + (runs * (segments - 1)) / segments) * (1 + target.continuation.length / tokens.length);
}

/** One number for each of the first `count` rows of `tensor` [T, width]: `reduce` over the row's range. */
export function perRow(tensor: Tensor, count: number, reduce: (from: number, to: number) => number): Float64Array {
  const [rows = 0] = tensor.shape;
  const width = rows === 0 ? 0 : tensor.data.length / rows;
  return Float64Array.from({ length: count }, (_, row) => reduce(row * width, (row + 1) * width));
}
