/**
 * Is this explanation, on this prompt, better than a random one? Measures of its ranking and scores against random pictures of
 * the same units. See docs/faithfulness.md.
 */
import { emptyPromptToken } from '../../attribution/perturbation/emptyPrompt.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model } from '../../model/model.ts';
import type { Explanation, Faithfulness } from '../../shared/explanation.ts';
import type { Unit } from '../../shared/tokens.ts';
import { AblatedValues, type EvaluationOptions } from './ablatedValues.ts';
import { topCount } from './ablations.ts';
import { type Curve, deciles, deletionCurve, insertionCurve, meanCurve } from './curves.ts';
import { certainty, hiddenShare, openShare, spread } from './evidence.ts';
import { gainInterval, meanOf } from './interval.ts';
import type { Measure, Picture, ValueWithout } from './measure.ts';
import { measuredGain } from './measuredGain.ts';
import { checkFractions } from './measures.ts';
import { dropFalls } from './measures/comprehensiveness.ts';
import { keepFalls } from './measures/sufficiency.ts';
import { mostRankings, picturesOf, rankableUnits } from './rankings.ts';
import { countAsGood } from './rankTest.ts';
import { judge } from './verdict.ts';

/** Shares of the units that are taken away and kept, and how many random rankings must fit the budget for them. */
interface Depth {
  readonly fractions: readonly number[];
  readonly fewestRankings: number;
}

/** As many say more of the verdict than a whole curve would. */
const enoughRankings = 8;
const deepest: Depth = { fractions: checkFractions, fewestRankings: enoughRankings };
/** Of single shares a fifth agrees best with a long check (docs/faithfulness.md). What this asks for is measured in any case. */
const shallowest: Depth = { fractions: [0.2], fewestRankings: 4 };

export interface FaithfulnessInput {
  readonly model: Model;
  /** Token ids of the prompt. */
  readonly ids: Int32Array;
  readonly units: readonly Unit[];
  /** One per unit; a higher score means "leave this out first". */
  readonly scores: ArrayLike<number>;
  /** Whether scores have a sign. */
  readonly signed: boolean;
  /** Whether scores are slopes at the prompt, which vanish where the answer is certain. */
  readonly slopes: boolean;
  readonly completeness: Explanation['completeness'];
  readonly target: ResolvedTarget;
  /** The target's value on the whole prompt. */
  readonly value: number;
  readonly seed: number;
  /**
   * Full-length forward passes that may be spent on the check; `measures` come on top. Where they do not buy the shallowest check,
   * it is made all the same.
   */
  readonly budget: number;
  /** Measured beside the check, whatever they cost. */
  readonly measures: readonly Measure[];
  /** Changes of the target below this are rounding of the model file, in the target's unit. */
  readonly noise: number;
  /** Values of ablated prompts known from another check of the same prompt, model and target; added to. */
  readonly known?: Map<string, number>;
}

export type FaithfulnessOutcome =
  | { readonly measured: Faithfulness; readonly forwardPasses: number }
  /** `reason`: why it was not measured, one sentence. */
  | { readonly measured: null; readonly forwardPasses: 0; readonly reason: string };

/** @throws E_NUMERIC, and as `Model.forwardVariants` */
export async function measureFaithfulness(
  input: FaithfulnessInput,
  options: EvaluationOptions = {},
): Promise<FaithfulnessOutcome> {
  const { model, ids, units, scores, target, value, seed, noise } = input;
  const ranked = rankableUnits(units, ids.length);
  if (ranked.length < 2) return notMeasured('There are fewer than two parts that could be ranked against each other.');
  const values = new AblatedValues(
    model,
    { ids, units, emptyToken: await emptyPromptToken(model.tokenizer) },
    target,
    value,
    input.known,
  );
  const plan = planWithin(input, values, ranked);
  const gains = input.measures.map((measure) => {
    const pictures = picturesOf(input, rankableUnits(units, ids.length, measure.ranks), mostRankings);
    for (const picture of pictures) values.ask((valueWithout) => measure.value(picture, valueWithout));
    return () =>
      measuredGain(
        measure,
        pictures.map((picture) => measure.value(picture, values.valueWithout)),
        seed,
      );
  });
  await values.evaluate(options);

  const falls = plan.pictures.map((picture) => fallsOf(picture, plan.fractions, values.valueWithout));
  const means = falls.map(({ dropped, kept }) => ({ comprehensiveness: meanOf(dropped), sufficiency: meanOf(kept) }));
  const [own, ...others] = means as [(typeof means)[number], ...typeof means];
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
  const judgement = judge({
    ...own,
    random,
    gain,
    interval,
    asGood,
    rankings: others.length,
    noise,
    hiddenShare: hiddenShare(units, scores),
    spread: spread(ranked, scores),
    openShare: openShare(input.completeness),
    certainty: input.slopes ? certainty(target.description, value) : null,
  });
  return {
    measured: {
      ...own,
      random,
      gain,
      interval,
      fractions: [...plan.fractions],
      ...judgement,
      curves: curvesOf(plan, values.valueWithout),
      ...(gains.length === 0 ? {} : { measures: gains.map((measured) => measured()) }),
      rankings: others.length,
    },
    forwardPasses: values.forwardPasses,
  };
}

interface Plan {
  readonly fractions: readonly number[];
  /** The explanation's own first. */
  readonly pictures: readonly Picture[];
  /** Points of the curves, in units. */
  readonly deletionCounts: readonly number[];
  readonly insertionCounts: readonly number[];
  readonly randomCounts: readonly number[];
}

/**
 * What the check asks for, as much as the budget allows: first the falls of the picture and of the fewest random ones, as deep as
 * they fit; then enough random ones; then the picture's whole deletion curve; then all random ones; then the other curves as whole ones.
 */
function planWithin(input: FaithfulnessInput, values: AblatedValues, ranked: readonly number[]): Plan {
  const candidates = picturesOf(input, ranked, mostRankings) as [Picture, ...Picture[]];
  const [own] = candidates;
  const asks = (read: (valueWithout: ValueWithout) => unknown, budget = input.budget) => values.ask(read, budget);
  const asksFewest = ({ fractions, fewestRankings }: Depth, budget: number) =>
    asks((valueWithout) => {
      for (const picture of candidates.slice(0, 1 + fewestRankings)) fallsOf(picture, fractions, valueWithout);
    }, budget);
  const depth = asksFewest(deepest, input.budget) ? deepest : shallowest;
  if (depth === shallowest) asksFewest(shallowest, Number.POSITIVE_INFINITY);
  const coarse = fractionCounts(depth.fractions, ranked.length);
  const fine = deciles(ranked.length);
  const asksFalls = (picture: Picture) => asks((valueWithout) => fallsOf(picture, depth.fractions, valueWithout));
  let rankings = depth.fewestRankings;
  const addRankings = (most: number) => {
    while (rankings < most && asksFalls(candidates[1 + rankings] as Picture)) rankings++;
  };
  addRankings(enoughRankings);
  const deletionCounts = asks((valueWithout) => deletionCurve(own, fine, valueWithout)) ? fine : coarse;
  addRankings(mostRankings);
  const pictures = candidates.slice(0, 1 + rankings);
  const asksAll = asks((valueWithout) => pictures.map((picture) => deletionCurve(picture, fine, valueWithout)));
  const insertionCounts = asks((valueWithout) => insertionCurve(own, fine, valueWithout)) ? fine : coarse;
  const { fractions } = depth;
  return { fractions, pictures, deletionCounts, insertionCounts, randomCounts: asksAll ? fine : coarse };
}

/** How far the target falls at each fraction: without the top units, and with only those. The ends of the curves come with it. */
function fallsOf(
  picture: Picture,
  fractions: readonly number[],
  valueWithout: ValueWithout,
): { readonly dropped: number[]; readonly kept: number[] } {
  valueWithout(picture.ranking);
  return {
    dropped: dropFalls(picture, fractions, valueWithout),
    kept: keepFalls(picture, fractions, valueWithout),
  };
}

function curvesOf(
  { pictures, deletionCounts, insertionCounts, randomCounts }: Plan,
  valueWithout: ValueWithout,
): Record<CurveName, Curve> {
  const [own, ...others] = pictures as [Picture, ...Picture[]];
  return {
    deletion: deletionCurve(own, deletionCounts, valueWithout),
    insertion: insertionCurve(own, insertionCounts, valueWithout),
    randomDeletion: meanCurve(others.map((picture) => deletionCurve(picture, randomCounts, valueWithout))),
  };
}

type CurveName = 'deletion' | 'insertion' | 'randomDeletion';

/** Units at these fractions and at both ends, each number once. */
function fractionCounts(fractions: readonly number[], units: number): number[] {
  return [...new Set([0, ...fractions.map((fraction) => topCount(fraction, units)), units])];
}

function notMeasured(reason: string): FaithfulnessOutcome {
  return { measured: null, forwardPasses: 0, reason };
}
