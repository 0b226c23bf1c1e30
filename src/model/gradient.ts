/**
 * Gradients: a number made of a model's logits (or of any site), and its exact derivative at named sites.
 *
 * On quantised files the derivative is the straight-through one: that of the network with dequantised weights, taken at the
 * activations the runtime really computed. See docs/gradients.md.
 */
import type { Site } from './sites.ts';
import type { CallOptions, Precision, Tensor } from './model.ts';

/** `weight` × something of token `id` in the row of logits at `position` (which predicts the token at `position + 1`). */
export interface TargetTerm {
  readonly position: number;
  readonly id: number;
  readonly weight: number;
}

/** The number that is differentiated. */
export type GradientTarget =
  /** Σ weight · logit. One term: a logit; +1 and −1 in one row: a contrast. */
  | { readonly kind: 'logit'; readonly terms: readonly TargetTerm[] }
  /** Σ weight · log-probability, nats. Several rows: a teacher-forced span. */
  | { readonly kind: 'logprob'; readonly terms: readonly TargetTerm[] }
  /** Σ weight · probability. */
  | { readonly kind: 'probability'; readonly terms: readonly TargetTerm[] }
  /** exp(Σ weight · log-probability): the probability of a whole span. */
  | { readonly kind: 'joint-probability'; readonly terms: readonly TargetTerm[] }
  /** −Σ p log p of one row, nats. */
  | { readonly kind: 'entropy'; readonly position: number }
  /** Kullback–Leibler divergence of one row, nats. `reference`: [V] probabilities. `to-reference`: KL(model ‖ reference). */
  | {
      readonly kind: 'kl';
      readonly position: number;
      readonly reference: Float32Array;
      readonly direction: 'to-reference' | 'from-reference';
    }
  /** Σ rows ⟨weights, logits⟩. `weights`: [V]. */
  | { readonly kind: 'linear'; readonly rows: readonly { readonly position: number; readonly weights: Float32Array }[] }
  /** ⟨values, site⟩, `values` in the site's own shape: its derivative is the vector–Jacobian product of `values`. */
  | { readonly kind: 'cotangent'; readonly site: Site; readonly values: Float32Array };

/**
 * What stands for the derivative of an operator. `exact`: the derivative itself. `relevance`: the AttnLRP rules (Achtibat et al. 2024,
 * arXiv 2402.05602) in the form whose product with the input is a relevance. `rescale`: differences between two inputs in place of
 * derivatives (DeepLIFT, Shrikumar et al. 2017, arXiv 1704.02685), so that Σ m · (x − reference) = f(x) − f(reference).
 */
export const gradientRules = ['exact', 'relevance', 'rescale'] as const;
export type GradientRules = (typeof gradientRules)[number];

export interface GradientRequest {
  readonly tokens: Int32Array;
  /** [T, D] what enters the first block, instead of the tokens' own embeddings. */
  readonly embeddings?: Float32Array;
  /** Several targets share one forward pass; each has a backward pass of its own. */
  readonly targets: readonly GradientTarget[];
  /** Where the derivatives are wanted: any site but `logits`. */
  readonly at: readonly Site[];
  /** Sites whose values are wanted from the same forward pass. */
  readonly capture?: readonly Site[];
  /** Default: as served. */
  readonly precision?: Precision;
  /** Default: exact. */
  readonly rules?: GradientRules;
  /** [T, D] with the rules `rescale`, and only with them: the input that `embeddings`, then given as well, is compared with. */
  readonly reference?: Float32Array;
}

/** What a run will need, known before it begins. Bytes beyond those of the loaded model. */
export interface GradientPlan {
  readonly precision: Precision;
  /** Most bytes held at once: activations, gradients, caches, kept weights. */
  readonly peakBytes: number;
  /** Of these, the activations and gradients of the largest segment. */
  readonly activationBytes: number;
  /** Of these, dequantised or transposed weights that are kept for the next run. */
  readonly weightBytes: number;
  /** Largest `peakBytes` that is allowed. */
  readonly limitBytes: number;
  /** 1 = nothing is computed twice; more: the forward pass of each segment but the last runs again before its backward pass. */
  readonly segments: number;
  /** What multiplies matrices: our own kernel, ggml's, or ONNX Runtime's. */
  readonly kernel: 'loupe' | 'ggml' | 'onnxruntime';
}

export interface GradientOptions extends CallOptions {
  /** Told once, before anything is computed. */
  readonly onPlan?: (plan: GradientPlan) => void;
  /** Steps of a path, or segments of a long prompt. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface TargetGradient {
  /** The target on this input. */
  readonly value: number;
  /** The target on the reference input, where there is one. */
  readonly referenceValue?: number;
  /** Keyed by siteName(), in the site's own shape: d target / d site. Positions the target does not depend on hold 0. */
  readonly gradients: ReadonlyMap<string, Tensor>;
}

export interface GradientResult {
  readonly precision: Precision;
  readonly plan: GradientPlan;
  /** One per target, in their order. */
  readonly targets: readonly TargetGradient[];
  /** Keyed by siteName(). */
  readonly captured: ReadonlyMap<string, Tensor>;
}

/** The gradient along a straight line of input embeddings, (1 − fraction) · from + fraction · to. */
export interface GradientPathRequest {
  readonly tokens: Int32Array;
  readonly target: GradientTarget;
  readonly at: readonly Site[];
  readonly precision?: Precision;
  /** [T, D] */
  readonly from: Float32Array;
  /** [T, D] */
  readonly to: Float32Array;
  readonly points: readonly { readonly fraction: number; readonly weight: number }[];
}

export interface GradientPathResult {
  readonly precision: Precision;
  readonly plan: GradientPlan;
  /** The target at each point. */
  readonly values: Float64Array;
  /** Σ weight · gradient over the points, keyed by siteName(). */
  readonly gradients: ReadonlyMap<string, Tensor>;
}
