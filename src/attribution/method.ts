/**
 * What an attribution method is. One file a method; `registry.ts` lists them.
 * A method sees a Model, a prompt's tokens, the units to score and a resolved target; it returns one signed score per unit,
 * in the target's unit. It never sees an editor, a file or a runtime.
 */
import type { GradientPlan } from '../model/gradient.ts';
import type { CallOptions, Model, Precision } from '../model/model.ts';
import type { Section, Token, Unit } from '../shared/tokens.ts';
import type { Explanation, Warning } from '../shared/explanation.ts';
import type { AblationStore } from './ablationStore.ts';
import type { MethodParameter } from '../shared/protocol/engine.ts';
import type { ResolvedTarget } from './target.ts';

export type { MethodParameter };

export type MethodNeed = 'forward' | 'capture' | 'patch' | 'gradient';

/** Families of the picker and of docs/methods/README.md, in the order they are shown. */
export const methodFamilies = [
  'ensemble',
  'gradient',
  'perturbation',
  'shapley',
  'surrogate',
  'flow',
  'propagation',
  'reasoning',
  'control',
] as const;
type MethodFamily = (typeof methodFamilies)[number];

export interface AttributionInput {
  readonly model: Model;
  /** The prompt's tokens, without the response. */
  readonly tokens: readonly Token[];
  readonly promptText: string;
  readonly sections: readonly Section[];
  readonly units: readonly Unit[];
  readonly target: ResolvedTarget;
  /** The whole response as a target, for methods that score each of its tokens in one run; null when there is none. */
  readonly response: ResolvedTarget | null;
  /** Ablations that earlier explanations evaluated over the same response; absent: none are kept. */
  readonly ablations?: AblationStore;
  /** The explained number on the unmodified prompt, in the target's unit. */
  readonly value: number;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly seed: number;
}

interface AttributionOutput {
  /** One per unit, signed, in the target's unit unless `scoreUnit` says otherwise. */
  readonly scores: Float32Array;
  /** Full-length forward passes this cost; a shorter suffix counts by its share of tokens. */
  readonly forwardPasses: number;
  readonly warnings: readonly Warning[];
  /** Which arithmetic gave the scores, where the method can choose. */
  readonly precision?: Precision;
  /** The unit of the scores where it is not the target's. */
  readonly scoreUnit?: string;
  /** Where the scores should add up to something: how far they do. */
  readonly completeness?: NonNullable<Explanation['completeness']>;
  /** One 95 % interval per unit, in the unit of the scores, where the method samples. */
  readonly intervals?: NonNullable<Explanation['intervals']>;
  /** Scores of each response token alone, where one run gives them. */
  readonly matrix?: NonNullable<Explanation['matrix']>;
  /** What the method found beside scores: a rule, a tree, how well a surrogate fits, parts by layer and head. */
  readonly findings?: NonNullable<Explanation['findings']>;
}

export interface AttributionOptions extends CallOptions {
  readonly onProgress?: (done: number, total: number) => void;
  /** Called as single units become known, with the unit's index. */
  readonly onScore?: (unit: number, score: number) => void;
  /** What the gradients will need, told once, before the first begins. */
  readonly onPlan?: (plan: GradientPlan) => void;
}

export interface AttributionMethod {
  readonly id: string;
  readonly family: MethodFamily;
  readonly label: string;
  /** One line for the picker: what this assumes. */
  readonly assumption: string;
  readonly needs: readonly MethodNeed[];
  readonly parameters: readonly MethodParameter[];
  /** Set where the method runs only after the user agreed: what they agree to, one sentence. */
  readonly optIn?: string;
  /** Whether scores carry a sign with these parameters; absent: they do. */
  readonly isUnsigned?: (parameters: Readonly<Record<string, string | number | boolean>>) => boolean;
  /** Tells single units as they become known (`onScore`); the others give all units at once. */
  readonly tellsUnits?: true;
  /** Estimated cost in forward passes, for the picker. `sharesBeginnings`: as the model says (`ModelInfo`). */
  cost(units: number, sharesBeginnings: boolean): number;
  attribute(input: AttributionInput, options?: AttributionOptions): Promise<AttributionOutput>;
}
