/**
 * Is this explanation, on this prompt, better than a random one? Comprehensiveness and sufficiency (DeYoung et al. 2020,
 * arXiv 1911.03429) of its ranking against random rankings of the same units. See docs/faithfulness.md.
 */
import { emptyPromptToken } from '../../attribution/perturbation/emptyPrompt.ts';
import { evaluateSequences, passShare } from '../../attribution/perturbation/evaluateSequences.ts';
import { isHidden } from '../../attribution/scoredUnits.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { CallOptions, Model } from '../../model/model.ts';
import type { Faithfulness } from '../../shared/explanation.ts';
import type { Unit } from '../../shared/tokens.ts';
import { type AblatedPrompt, ablations } from './ablations.ts';
import { gainInterval, meanOf } from './interval.ts';
import { countAsGood } from './rankTest.ts';
import { randomRankings, rankableUnits, rankByScore } from './rankings.ts';
import { judge } from './verdict.ts';

const faithfulnessFractions: readonly number[] = [0.1, 0.2, 0.5];
const fewestRankings = 5;
const mostRankings = 20;

export interface FaithfulnessInput {
  readonly model: Model;
  /** Token ids of the prompt. */
  readonly ids: Int32Array;
  readonly units: readonly Unit[];
  /** One per unit; a higher score means "leave this out first". */
  readonly scores: ArrayLike<number>;
  readonly target: ResolvedTarget;
  /** The target's value on the whole prompt. */
  readonly value: number;
  readonly seed: number;
  /** Full-length forward passes that may be spent. */
  readonly budget: number;
  /** Changes of the target below this are rounding of the model file, in the target's unit. */
  readonly noise: number;
}

export interface FaithfulnessOptions extends CallOptions {
  readonly onProgress?: (done: number, total: number) => void;
}

export type FaithfulnessOutcome =
  | { readonly measured: Faithfulness; readonly forwardPasses: number }
  /** `reason`: why it was not measured, one sentence. */
  | { readonly measured: null; readonly forwardPasses: 0; readonly reason: string };

/** @throws E_NUMERIC, and as `Model.forwardVariants` */
export async function measureFaithfulness(
  input: FaithfulnessInput,
  options: FaithfulnessOptions = {},
): Promise<FaithfulnessOutcome> {
  const { model, ids, units, scores, target, seed } = input;
  const ranked = rankableUnits(units, ids.length);
  if (ranked.length < 2) return notMeasured('There are fewer than two parts that could be ranked against each other.');
  const prompt: AblatedPrompt = { ids, units, emptyToken: await emptyPromptToken(model.tokenizer) };
  const plan = planWithin(input.budget, prompt, target.continuation.length, [
    rankByScore(ranked, scores),
    ...randomRankings(ranked, mostRankings, seed),
  ]);
  if (plan.rankings.length < 1 + fewestRankings)
    return notMeasured('Checking it would cost more than explaining the prompt did.');
  let done = 0;
  const values = await evaluateSequences(model, plan.prompts, target, {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onValue: () => options.onProgress?.(++done, plan.prompts.length),
  });
  const fallOf = (index: number): number => input.value - (values[index] as number);
  const falls = plan.rankings.map(({ dropped, kept }) => ({ dropped: dropped.map(fallOf), kept: kept.map(fallOf) }));
  const [own, ...others] = falls.map(
    ({ dropped, kept }): Fall => ({ comprehensiveness: meanOf(dropped), sufficiency: meanOf(kept) }),
  );
  if (own === undefined) return notMeasured('Nothing was ranked.');
  const random = {
    comprehensiveness: meanOf(others.map((fall) => fall.comprehensiveness)),
    sufficiency: meanOf(others.map((fall) => fall.sufficiency)),
  };
  const gain = own.comprehensiveness - random.comprehensiveness;
  const interval = gainInterval(
    own.comprehensiveness,
    others.map((fall) => fall.comprehensiveness),
    seed,
  );
  const asGood = countAsGood(falls.map(({ dropped, kept }) => [...dropped, ...kept.map((fall) => -fall)]));
  const evidence = { ...own, random, gain, interval, asGood, rankings: others.length, noise: input.noise };
  const verdict = judge({ ...evidence, hiddenShare: hiddenShareOf(units, scores) });
  return {
    measured: { ...own, random, gain, interval, fractions: [...faithfulnessFractions], ...verdict },
    forwardPasses: plan.forwardPasses,
  };
}

/** Means over the fractions, in the target's unit. */
interface Fall {
  readonly comprehensiveness: number;
  readonly sufficiency: number;
}

interface Plan {
  /** Every distinct prompt once. */
  readonly prompts: Int32Array[];
  readonly forwardPasses: number;
  /** For each ranking and fraction, indices into `prompts`. */
  readonly rankings: readonly { readonly dropped: number[]; readonly kept: number[] }[];
}

/** As many of the rankings, in order, as the budget allows; rankings that ask for the same prompt share it. */
function planWithin(
  budget: number,
  prompt: AblatedPrompt,
  continuationLength: number,
  rankings: readonly (readonly number[])[],
): Plan {
  const prompts: Int32Array[] = [];
  const indices = new Map<string, number>();
  const planned: { dropped: number[]; kept: number[] }[] = [];
  let spent = 0;
  for (const ranking of rankings) {
    const before = prompts.length;
    let cost = 0;
    const indexOf = (ids: Int32Array): number => {
      const key = ids.join(' ');
      const known = indices.get(key);
      if (known !== undefined) return known;
      indices.set(key, prompts.length);
      cost += passShare(ids, prompt.ids, continuationLength);
      return prompts.push(ids) - 1;
    };
    const pairs = ablations(prompt, ranking, faithfulnessFractions);
    const entry = { dropped: pairs.map((pair) => indexOf(pair.dropped)), kept: pairs.map((pair) => indexOf(pair.kept)) };
    if (spent + cost > budget) {
      prompts.length = before;
      break;
    }
    spent += cost;
    planned.push(entry);
  }
  return { prompts, forwardPasses: spent, rankings: planned };
}

function hiddenShareOf(units: readonly Unit[], scores: ArrayLike<number>): number {
  let hidden = 0;
  let all = 0;
  units.forEach((unit, index) => {
    const magnitude = Math.abs(scores[index] ?? 0);
    all += magnitude;
    if (isHidden(unit) || unit.kind === 'sink') hidden += magnitude;
  });
  return all > 0 ? hidden / all : 0;
}

function notMeasured(reason: string): FaithfulnessOutcome {
  return { measured: null, forwardPasses: 0, reason };
}
